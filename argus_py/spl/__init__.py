"""The Simplified Policy Language."""
