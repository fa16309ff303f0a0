"""What came of runs, for eyes and for machines: terminal, JUnit XML, one HTML page; and runs read back."""
