"""Where all tables are known: what migrations are compared with."""

from sqlalchemy import MetaData

metadata = MetaData()
