"""X.509, proxy and attribute certificates: who is this?"""
