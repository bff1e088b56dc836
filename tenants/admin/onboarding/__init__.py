"""The wizard: a taxpayer becomes an issuer, step by step, in the browser."""
