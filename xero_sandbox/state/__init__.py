"""What a sandbox keeps: organisations and their records, and the clock."""
