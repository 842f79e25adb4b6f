"""Values of an authorization: request, response, attributes, names. Standard library only."""
