"""Events out of Levity: the outbox, the event feed, webhooks and MQTT."""
