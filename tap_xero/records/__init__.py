"""From the bytes of an answer to the records of a stream."""
