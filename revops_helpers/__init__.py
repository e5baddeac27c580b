"""What the notebooks of the workbook share."""

import os

# Before NumPy is loaded. Matrices here are small: several threads at one spend their time waiting for each other (an ETS model
# took three times its time), and a sum's last digits depend on how many they are. Who wants more sets it before.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
