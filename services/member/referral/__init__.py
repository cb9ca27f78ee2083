"""Members bring friends; both get points once the friend has bought something and kept it."""
