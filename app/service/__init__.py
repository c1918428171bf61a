"""What the API can do: one function a use case. They know neither HTTP nor how anything is kept."""
