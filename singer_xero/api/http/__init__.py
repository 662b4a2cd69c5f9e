"""One HTTP request and its answer: connections, deadlines, decompression, and why there was no answer."""
