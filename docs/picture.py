"""Take the README's picture: the newest review's index page above the fold, as a browser shows it. `make picture`."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "reports" / "latest" / "index.html"
PICTURE = ROOT / "docs" / "review.png"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WIDTH, HEIGHT, MOST_BYTES = 1280, 900, 300_000


def shoot(page: Path, to: Path) -> None:
    """A screenshot of a local page at 1280 × 900. Exits with a message when there is no page or no browser."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit(f"no browser: install one of {', '.join(BROWSERS)}")
    if not page.exists():
        sys.exit(f"{page}: not there; run make review first")
    with tempfile.TemporaryDirectory() as profile:
        look = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=1"]
        where = [f"--user-data-dir={profile}", f"--window-size={WIDTH},{HEIGHT}", f"--screenshot={to}", page.resolve().as_uri()]
        subprocess.run([browser, *look, *where], check=True, capture_output=True, timeout=120)


def compress(picture: Path) -> int:
    """Write the picture again with as many colours as fit the size. Returns its bytes."""
    image = Image.open(picture).convert("RGB").crop((0, 0, WIDTH, HEIGHT))
    for colours in (256, 128, 64, 32):
        image.quantize(colours, dither=Image.Dither.NONE).save(picture, optimize=True)
        if picture.stat().st_size <= MOST_BYTES:
            break
    return picture.stat().st_size


if __name__ == "__main__":
    shoot(PAGE, PICTURE)
    print(f"{PICTURE.relative_to(ROOT)}: {compress(PICTURE) // 1000} kB")
