"""`make chaos`: what becomes of thousands of invoices when everything fails that can fail.

Real processes on PostgreSQL, clients that retry as good clients do, a PAC that errs, hangs, forgets
to answer and goes away, workers and web servers that are killed. In the end nothing may be lost,
doubled or left to a person: Cifras' database and the PAC's own list are compared one by one.
"""
