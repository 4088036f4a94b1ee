"""MQTT: the state of every connector as topics, and Home Assistant's device discovery."""
