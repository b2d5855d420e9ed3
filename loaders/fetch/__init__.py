"""Documents from the web: addresses become documents whose content is kept in the warehouse.

In: documents of :mod:`loaders.sources` with an ``address``. Out: the same documents, each with its content or with the
reason why there is none, in the same order; an address never stops a load. The layers, from the outside in:

``documents``   the addresses of a run, several hosts at a time, and the attachments of the pages
``sites``       manners: robots.txt, the pace of a host, what is tried again and when a host is left alone
``client``      one request: size, time, redirects by hand, and no address inside a private network
``store``       what was answered, as WARC files with an index

Nothing of this is imported by a load without addresses.
"""
