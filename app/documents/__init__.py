"""What is true, as the documents that OCP's clients read. Keys stand in alphabetical order, as OCP prints them."""
