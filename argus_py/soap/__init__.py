"""SOAP 1.1 messages and the SAML profile of XACML."""
