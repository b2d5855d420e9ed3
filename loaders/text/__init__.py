"""Chinese characters, encodings and numerals: everything that needs no knowledge of forms or file formats."""
