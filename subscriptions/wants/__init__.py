"""What readers want to see: interests, topics, liked papers."""
