"""Encrypts and decrypts a text with AES-128 in counter mode, in pure python. Strains one processor.

Owns a cipher after FIPS 197, checked by its vector in the tests. Must never be used to keep a secret: it is slow on
purpose and guards against no side channel.
"""

import hashlib


def _sbox():
    """The substitution box: inverses in GF(2^8), then an affine map (FIPS 197, 5.1.1)."""
    box, p, q = [0] * 256, 1, 1
    while True:
        p ^= ((p << 1) ^ (0x11B if p & 0x80 else 0)) & 0x1FF
        p &= 0xFF
        q ^= q << 1
        q ^= q << 2
        q ^= q << 4
        q &= 0xFF
        if q & 0x80:
            q ^= 0x09
        rotated = [((q << k) | (q >> (8 - k))) & 0xFF for k in range(5)]
        box[p] = rotated[0] ^ rotated[1] ^ rotated[2] ^ rotated[3] ^ rotated[4] ^ 0x63
        if p == 1:
            break
    box[0] = 0x63
    return box


SBOX = _sbox()
# Multiplication by 2 in GF(2^8).
DOUBLE = [((value << 1) ^ (0x1B if value & 0x80 else 0)) & 0xFF for value in range(256)]


def expand(key):
    """The round keys of a key of 16 bytes (FIPS 197, 5.2)."""
    words, constant = [list(key[i:i + 4]) for i in range(0, 16, 4)], 1
    for i in range(4, 44):
        word = list(words[-1])
        if i % 4 == 0:
            word = [SBOX[byte] for byte in word[1:] + word[:1]]
            word[0] ^= constant
            constant = DOUBLE[constant]
        words.append([a ^ b for a, b in zip(words[i - 4], word)])
    return [sum(words[i:i + 4], []) for i in range(0, 44, 4)]


def encrypt_block(block, keys):
    """One block of 16 bytes (FIPS 197, 5.1)."""
    state = [a ^ b for a, b in zip(block, keys[0])]
    for number, key in enumerate(keys[1:], 1):
        # Substitute and shift rows in one go: the state is in columns.
        state = [SBOX[state[(i + 4 * (i % 4)) % 16]] for i in range(16)]
        if number < 10:
            mixed = []
            for column in range(0, 16, 4):
                a, b, c, d = state[column:column + 4]
                every = a ^ b ^ c ^ d
                mixed += [a ^ every ^ DOUBLE[a ^ b], b ^ every ^ DOUBLE[b ^ c], c ^ every ^ DOUBLE[c ^ d],
                          d ^ every ^ DOUBLE[d ^ a]]
            state = mixed
        state = [a ^ b for a, b in zip(state, key)]
    return bytes(state)


def crypt(data, keys):
    """Counter mode: the same encrypts and decrypts."""
    out = bytearray()
    for number in range(0, len(data), 16):
        stream = encrypt_block((number // 16).to_bytes(16, "big"), keys)
        out += bytes(a ^ b for a, b in zip(data[number:number + 16], stream))
    return bytes(out)


def main(args):
    length, rounds = args.get("length", 1_000), args.get("rounds", 1)
    for name, value, most in [("length", length, 1_000_000), ("rounds", rounds, 1_000)]:
        if not isinstance(value, int) or not 1 <= value <= most:
            raise ValueError(f"{name} must be a whole number from 1 to {most}, not {value!r}")
    text = (b"The quick brown fox jumps over the lazy dog. " * (length // 45 + 1))[:length]
    keys = expand(bytes(range(16)))
    for _ in range(rounds):
        secret = crypt(text, keys)
        if crypt(secret, keys) != text:
            raise RuntimeError("what was encrypted does not decrypt")
    return {"length": length, "sha256": hashlib.sha256(secret).hexdigest()}
