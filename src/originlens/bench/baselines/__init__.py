"""What a detector has to beat: file shortcuts, a linear probe, error level analysis."""
