"""What comes by mail: bytes become one Mail, bounded, whatever they are; what is in it is read by its own modules."""
