"""Who takes part: Grantor, a browser, the example programs, a plain relying party, an issuer that misbehaves."""
