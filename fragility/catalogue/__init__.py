"""What a reader sees of a book of claims: rows, pages, and what is wrong in the papers."""
