"""What the tap does with what Xero answers, over HTTP at the sandbox."""
