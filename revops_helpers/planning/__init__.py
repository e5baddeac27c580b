"""Phase 5: what the next target needs: volumes, people, quotas, and forecasts that can be believed."""
