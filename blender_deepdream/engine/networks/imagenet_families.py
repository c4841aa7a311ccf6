# SPDX-License-Identifier: GPL-3.0-or-later
"""ImageNet's 1,000 classes in families that people would call them by, each class in one at most.

The challenge's first 398 classes are animals in the order of the biologists, so a family of theirs is a range or two.
The things after them are in the order of the alphabet; what no family takes is among `OTHER`.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

from .imagenet import imagenet_classes

OTHER = "other things"

_RANGES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "dogs": (("Chihuahua", "Mexican hairless"),),
    "wolves and foxes": (("timber wolf", "African hunting dog"), ("red fox", "grey fox")),
    "cats": (("tabby", "cheetah"),),
    "birds": (("cock", "great grey owl"), ("black grouse", "black swan"), ("white stork", "albatross")),
    "reptiles and frogs": (("European fire salamander", "sidewinder"),),
    "fish": (("tench", "stingray"), ("barracouta", "puffer")),
    "insects and spiders": (("trilobite", "centipede"), ("tiger beetle", "lycaenid")),
    "sea creatures": (
        ("jellyfish", "nematode"),
        ("conch", "isopod"),
        ("grey whale", "sea lion"),
        ("starfish", "sea cucumber"),
    ),
    "monkeys and apes": (("orangutan", "indri"),),
    "other mammals": (
        ("tusker", "wombat"),
        ("hyena", "hyena"),
        ("brown bear", "meerkat"),
        ("wood rabbit", "three-toed sloth"),
        ("Indian elephant", "giant panda"),
    ),
    "food": (
        ("guacamole", "ice lolly"),
        ("French loaf", "mashed potato"),
        ("carbonara", "espresso"),
        ("eggnog", "eggnog"),
    ),
    "plants and fruit": (("head cabbage", "hay"), ("rapeseed", "ear")),
    "landscapes": (("alp", "alp"), ("cliff", "volcano")),
    "people": (("ballplayer", "scuba diver"),),
}
"""First and last class of each range."""

_NAMES: Mapping[str, str] = {
    "buildings": """altar, apiary, bakery, bannister, barbershop, barn, beacon, bell cote, birdhouse, boathouse,
        bookshop, breakwater, butcher shop, castle, chainlink fence, church, cinema, cliff dwelling, confectionery, dam,
        dock, dome, fountain, greenhouse, grocery store, library, lumbermill, maze, megalith, mobile home, monastery,
        mosque, obelisk, palace, patio, picket fence, pier, planetarium, prison, restaurant, shoe shop, sliding door,
        steel arch bridge, stone wall, stupa, suspension bridge, thatch, tile roof, tobacco shop, totem pole, toyshop,
        triumphal arch, turnstile, vault, viaduct, water tower, worm fence, yurt""",
    "vehicles": """aircraft carrier, airliner, airship, ambulance, amphibian, balloon, barrow, beach wagon,
        bicycle-built-for-two, bobsled, bullet train, cab, canoe, catamaran, container ship, convertible, dogsled,
        electric locomotive, fireboat, fire engine, forklift, freight car, garbage truck, go-kart, golfcart, gondola,
        half track, harvester, horse cart, jeep, jinrikisha, lawn mower, lifeboat, limousine, liner, minibus, minivan,
        missile, Model T, moped, motor scooter, mountain bike, moving van, oxcart, passenger car, pickup, pirate,
        police van, racer, recreational vehicle, school bus, schooner, shopping cart, snowmobile, snowplow,
        space shuttle, speedboat, sports car, steam locomotive, streetcar, submarine, tank, thresher, tow truck,
        tractor, trailer truck, tricycle, trimaran, trolleybus, unicycle, warplane, wing, wreck, yawl""",
    "clothes": """abaya, academic gown, apron, bathing cap, bearskin, bib, bikini, bolo tie, bonnet, bow tie,
        brassiere, breastplate, bulletproof vest, cardigan, chain mail, cloak, clog, cowboy boot, cowboy hat,
        crash helmet, cuirass, diaper, feather boa, football helmet, fur coat, gasmask, gown, hair slide, hoopskirt,
        jean, jersey, kimono, knee pad, lab coat, Loafer, maillot, maillot tank suit, mask, military uniform, miniskirt,
        mitten, mortarboard, necklace, overskirt, oxygen mask, pajama, pickelhaube, poncho, running shoe, sandal,
        sarong, shower cap, ski mask, sock, sombrero, stole, suit, sunglass, sunglasses, sweatshirt, swimming trunks,
        trench coat, vestment, wig, Windsor tie""",
    "instruments": """accordion, acoustic guitar, banjo, bassoon, cello, chime, cornet, drum, electric guitar, flute,
        French horn, gong, grand piano, harmonica, harp, maraca, marimba, oboe, ocarina, organ, panpipe, sax,
        steel drum, trombone, upright, violin""",
    "fabrics": """bath towel, dishrag, doormat, handkerchief, knot, mosquito net, pillow, prayer rug, quilt,
        shower curtain, sleeping bag, theater curtain, velvet, wool""",
    "furniture": """barber chair, bassinet, bookcase, chest, chiffonier, china cabinet, cradle, crib, desk,
        dining table, entertainment center, file, folding chair, four-poster, medicine chest, park bench, pool table,
        rocking chair, studio couch, table lamp, throne, wardrobe""",
}


@functools.cache
def families() -> Mapping[str, tuple[int, ...]]:
    """The indices of each family's classes; those of no other family are `OTHER`."""
    index = {name: place for place, name in enumerate(imagenet_classes())}
    found: dict[str, tuple[int, ...]] = {}
    for family, ranges in _RANGES.items():
        spans = (range(index[first], index[last] + 1) for first, last in ranges)
        found[family] = tuple(place for span in spans for place in span)
    for family, names in _NAMES.items():
        found[family] = tuple(index[" ".join(name.split())] for name in names.split(","))
    taken = {place for places in found.values() for place in places}
    return found | {OTHER: tuple(sorted(set(index.values()) - taken))}
