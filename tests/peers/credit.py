"""The kiosk's credit, written in Python on pyscard: the peer that `make bench` measures beside our own client.

Reads one JSON object from standard input, {"reader", "aid", "key_number", "key", "purse", "top_ups", "terminal",
"credits", "amount"}: byte strings in hexadecimal, the key being the one card's own credit key. Does so many credits on
the card in that reader, each the same nine steps as `card::CardSession::credit`, and prints a JSON list of their
durations in microseconds.
"""

import json
import os
import struct
import sys
import time

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC
from smartcard import scard


def cbc(key, iv, data, decrypt=False):
    cipher = Cipher(algorithms.AES(key), modes.CBC(iv))
    side = cipher.decryptor() if decrypt else cipher.encryptor()
    return side.update(data) + side.finalize()


def ecb(key, block):
    side = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    return side.update(block) + side.finalize()


def cmac(key, data):
    mac = CMAC(algorithms.AES(key))
    mac.update(data)
    return mac.finalize()


class Card:
    """One DESFire EV2 card on one PC/SC handle."""

    def __init__(self, reader):
        result, self.context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
        self.check(result)
        result, self.handle, self.protocol = scard.SCardConnect(
            self.context, reader, scard.SCARD_SHARE_EXCLUSIVE, scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
        )
        self.check(result)

    @staticmethod
    def check(result):
        if result != scard.SCARD_S_SUCCESS:
            raise SystemExit(scard.SCardGetErrorMessage(result))

    def exchange(self, command, data=b""):
        apdu = bytes([0x90, command, 0, 0]) + (bytes([len(data)]) + data if data else b"") + b"\0"
        result, reply = scard.SCardTransmit(self.handle, self.protocol, list(apdu))
        self.check(result)
        reply = bytes(reply)
        if reply[-2] != 0x91 or reply[-1] not in (0x00, 0xAF):
            raise SystemExit(f"command {command:02X} was answered {reply[-2:].hex()}")
        return reply[:-2]

    def authenticate(self, number, key):
        challenge = self.exchange(0x71, bytes([number, 0]))
        zero = bytes(16)
        b = cbc(key, zero, challenge, decrypt=True)
        a = os.urandom(16)
        answer = cbc(key, zero, self.exchange(0xAF, cbc(key, zero, a + b[1:] + b[:1])), decrypt=True)
        if answer[4:20] != a[1:] + a[:1]:
            raise SystemExit("the card does not know the key")
        mixed = a[:2] + bytes(x ^ y for x, y in zip(a[2:8], b[:6])) + b[6:] + a[8:]
        self.enc = cmac(key, bytes.fromhex("A55A00010080") + mixed)
        self.mac = cmac(key, bytes.fromhex("5AA500010080") + mixed)
        self.transaction, self.counter = answer[:4], 0

    def sign(self, first, data):
        return cmac(self.mac, bytes([first]) + struct.pack("<H", self.counter) + self.transaction + data)[1::2]

    def vector(self, label):
        return ecb(self.enc, label + self.transaction + struct.pack("<H", self.counter) + bytes(8))

    def secure(self, command, header=b"", data=b"", full=True):
        if data and full:
            padded = data + b"\x80"
            data = cbc(self.enc, self.vector(b"\xa5\x5a"), padded + bytes(-len(padded) % 16))
        message = header + data
        reply = self.exchange(command, message + self.sign(command, message))
        self.counter += 1
        body, mac = reply[:-8], reply[-8:]
        if self.sign(0, body) != mac:
            raise SystemExit(f"the reply to {command:02X} has a wrong MAC")
        if not full or not body:
            return body
        return cbc(self.enc, self.vector(b"\x5a\xa5"), body, decrypt=True).rstrip(b"\0")[:-1]


def credit(card, order):
    card.exchange(0x5A, bytes.fromhex(order["aid"]))
    card.authenticate(order["key_number"], bytes.fromhex(order["key"]))
    purse, top_ups, amount = bytes([order["purse"]]), bytes([order["top_ups"]]), order["amount"]
    (before,) = struct.unpack("<i", card.secure(0x6C, purse))
    newest = card.secure(0xAB, top_ups + bytes(3) + b"\1\0\0")
    (counter,) = struct.unpack("<I", newest[:4])
    record = struct.pack("<Ii16siiI12x", counter + 1, 20_000, os.urandom(16), amount, before, order["terminal"])
    card.secure(0x0C, purse, struct.pack("<i", amount))
    card.secure(0x8B, top_ups + bytes(3) + struct.pack("<I", 48)[:3], record)
    card.secure(0xC8, data=struct.pack("<IB11x", order["terminal"], 1), full=False)
    card.secure(0xC7, b"\1", full=False)
    (after,) = struct.unpack("<i", card.secure(0x6C, purse))
    if after != before + amount:
        raise SystemExit("the read-back differs")


def main():
    order = json.load(sys.stdin)
    card = Card(order["reader"])
    durations = []
    for _ in range(order["credits"]):
        start = time.perf_counter_ns()
        credit(card, order)
        durations.append((time.perf_counter_ns() - start) // 1000)
    json.dump(durations, sys.stdout)


if __name__ == "__main__":
    main()
