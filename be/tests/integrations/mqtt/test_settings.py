"""MQTT_URL: what it may be, and that its password is told to nobody."""

import pytest

from levity.integrations.mqtt.settings import BadMqttUrl, MqttSettings, from_environ


def read(url: str, **more: str) -> MqttSettings:
    found = from_environ({"MQTT_URL": url, **more})
    assert found is not None
    return found


def test_without_a_url_there_is_no_mqtt() -> None:
    assert from_environ({}) is None


def test_a_url_with_everything() -> None:
    found = read("mqtts://us%40er:p%2Fw@broker.example", LEVITY_MQTT_PREFIX="my/levity/")
    assert (found.host, found.port, found.is_tls) == ("broker.example", 8883, True)
    assert (found.user, found.password) == ("us@er", "p/w")
    assert found.prefix == "my/levity"
    assert not found.takes_commands
    assert read("mqtt://broker").port == 1883


def test_user_and_password_are_masked() -> None:
    found = read("mqtt://anna:s3cret@broker:1884")
    assert found.shown == "mqtt://***@broker:1884"
    for text in (repr(found), str(found)):
        assert "s3cret" not in text
        assert "anna" not in text


@pytest.mark.parametrize(
    "url", ["http://broker", "broker:1883", "mqtt://", "mqtt://u:s3cret@broker:port", "mqtt"]
)
def test_what_is_no_broker_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(BadMqttUrl) as caught:
        from_environ({"MQTT_URL": url})
    assert "s3cret" not in str(caught.value)
