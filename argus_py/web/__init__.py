"""HTTP and TLS surfaces; the only asynchronous code."""
