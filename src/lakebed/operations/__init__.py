"""Operations: what is durable about them, who runs them, and how they end."""
