"""Says hello: next to no work, so that what is measured is the platform.

Owns a greeting. Must never do more than that.
"""


def main(args):
    return {"greeting": f"Hello, {args.get('name', 'stranger')}!"}
