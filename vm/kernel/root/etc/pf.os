# OS fingerprints: none (pfctl asks for the file)
