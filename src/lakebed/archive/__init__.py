"""Publishers' layouts. Binance's comes first: its keys, and archives made in its format."""
