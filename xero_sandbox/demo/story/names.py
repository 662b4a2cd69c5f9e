"""Word lists of the demo company: invented people, firms, goods and places."""

from __future__ import annotations


def _rows(text: str) -> list[list[str]]:
    return [row.split("|") for row in text.strip().splitlines()]


# Name | currency | city | country | contact person | region and department of their sales.
CUSTOMERS = _rows("""
Abel Bay Adventures|NZD|Mārahau|New Zealand|Hēmi Paewai|South/Wholesale
Aotea Harbour Kayaks Ltd|NZD|Porirua|New Zealand|Ngaio Tait|North/Wholesale
Awaroa Lodge & Café|NZD|Tākaka|New Zealand|Bridget O'Leary|South/Tours
Bäckerei & Café Grünfink|NZD|Nelson|New Zealand|Jürgen Weiß|South/Retail
Bluff Oyster Paddlers' Club|NZD|Bluff|New Zealand|Tama Whaanga|South/Retail
Cable Bay Holiday Park|NZD|Nelson|New Zealand|Sue Ashcroft|South/Tours
City of Motueka Rowing Inc.|NZD|Motueka|New Zealand|Graeme Pirie|South/Wholesale
Coromandel Canoe Company|NZD|Whitianga|New Zealand|Aroha Nīkau|North/Wholesale
D'Urville Island Outfitters|NZD|French Pass|New Zealand|Kelly D'Ath|South/Wholesale
Department of Rivers & Tracks|NZD|Wellington|New Zealand|Accounts Payable|North/Workshop
Doubtless Bay Dive & Paddle|NZD|Mangōnui|New Zealand|Wiremu Hōhepa|North/Wholesale
Eastern Sounds Charters|NZD|Picton|New Zealand|Paul Rennie|South/Tours
Farewell Spit Eco Tours|NZD|Collingwood|New Zealand|Paddy Gillooly|South/Tours
Fjordland Guides Co-op|NZD|Te Anau|New Zealand|Lotte Sørensen|South/Wholesale
Golden Bay Area School|NZD|Tākaka|New Zealand|Office Manager|South/Tours
Hauraki Sea Scouts|NZD|Auckland|New Zealand|Ming-Na Liu|North/Retail
Hāwea Water Sports|NZD|Lake Hāwea|New Zealand|Rangi Pōtiki|South/Wholesale
Jackson & Sons Boatyard|NZD|Havelock|New Zealand|Ewan Jackson|South/Workshop
Kahurangi Outdoor Centre|NZD|Motueka|New Zealand|Moana Te Rangi|South/Tours
Kaikōura Wild Coast|NZD|Kaikōura|New Zealand|Jess Solomon|South/Wholesale
Kererū Retreats|NZD|Waiheke Island|New Zealand|Ariana Walker|North/Tours
Lakeland Surf & Ski|NZD|Taupō|New Zealand|Brett Holloway|North/Wholesale
Mahurangi Tramping Club|NZD|Warkworth|New Zealand|Treasurer|North/Retail
Mapua Wharf Traders|NZD|Māpua|New Zealand|Delwyn Fry|South/Retail
Marlborough Sounds Mail Boat|NZD|Picton|New Zealand|Captain Ian Farr|South/Workshop
Moana & Whenua Trust|NZD|Kaitāia|New Zealand|Hinemoa Rāwiri|North/Tours
Nelson Polytechnic Outdoor Dept|NZD|Nelson|New Zealand|Steve Rapley|South/Tours
Ngā Tai Kayak Hire|NZD|Raglan|New Zealand|Kahu Ngata|North/Wholesale
Okarito Nature Kayaks|NZD|Ōkārito|New Zealand|Gemma Barr|South/Wholesale
Ōpua Marina Chandlery|NZD|Ōpua|New Zealand|Ross Lindale|North/Wholesale
Paddle & Peak|NZD|Queenstown|New Zealand|Zoë Harcourt|South/Wholesale
Pelorus Bridge Campground|NZD|Rai Valley|New Zealand|Ngaire Dodds|South/Retail
Pōhutukawa Weddings|NZD|Auckland|New Zealand|Talia Vaipulu|North/Tours
Quick & Quiet Electric Boats|NZD|Tauranga|New Zealand|Nils Åkerblom|North/Workshop
Rotorua Hot Springs Hotel|NZD|Rotorua|New Zealand|Concierge Desk|North/Tours
Saint Arnaud Alpine Lodge|NZD|Saint Arnaud|New Zealand|Fleur Bissett|South/Tours
Sleeping Giant Backpackers|NZD|Whāngārei|New Zealand|Olly Crane|North/Tours
Stewart Island Ferries & Freight|NZD|Oban|New Zealand|Raylene Skerrett|South/Workshop
Tasman District Youth Trust|NZD|Richmond|New Zealand|Helen Faalogo|South/Tours
Te Papa Moana School|NZD|Tauranga|New Zealand|Whaea Mereana|North/Tours
The Gear Shed (Wānaka) Ltd|NZD|Wānaka|New Zealand|Dylan Prior|South/Wholesale
Tōrea Bay Farmstay|NZD|Waikawa|New Zealand|June & Bob Allport|South/Retail
University Canoe Club|NZD|Dunedin|New Zealand|Club Captain|South/Retail
Waiau River Rafting|NZD|Hanmer Springs|New Zealand|Sione Tupou|South/Wholesale
Wellington Harbour Swimmers|NZD|Wellington|New Zealand|Priya Raman|North/Retail
Whanganui Journey Canoes|NZD|Whanganui|New Zealand|Tahu Pauro|North/Wholesale
Whenuakura Surf School|NZD|Pātea|New Zealand|Cory Blick|North/Retail
Barossa Paddle Co Pty Ltd|AUD|Tanunda|Australia|Marnie Klose|Australia/Wholesale
Byron Blue Water|AUD|Byron Bay|Australia|Kai Sutherland|Australia/Wholesale
Derwent Sea Kayaks|AUD|Hobart|Australia|Fiona McAllister|Australia/Wholesale
Great Ocean Outfitters|AUD|Torquay|Australia|Ben Trigg|Australia/Wholesale
Noosa River Canoes|AUD|Noosaville|Australia|Tarni Wells|Australia/Wholesale
Sydney Harbour Paddlers|AUD|Mosman|Australia|Harriet Quan|Australia/Wholesale
Cascadia Kayak Supply, Inc.|USD|Bellingham|United States|Todd Ferrell|Overseas/Wholesale
Great Lakes Sea Kayak Symposium|USD|Marquette|United States|Nancy Uschold|Overseas/Wholesale
Pacific Rim Paddles LLC|USD|Astoria|United States|Renée Dubois|Overseas/Wholesale
Alpenfluß Paddelsport GmbH|EUR|Füssen|Deutschland|Käthe Müller-Lüdenscheidt|Overseas/Wholesale
Havkajak Ærø ApS|EUR|Ærøskøbing|Danmark|Søren Bæk|Overseas/Wholesale
Kajak & Kanu Straße 9|EUR|Köln|Deutschland|Björn Großmann|Overseas/Wholesale
Hebridean Sea Tours|GBP|Stornoway|United Kingdom|Mòrag NicLeòid|Overseas/Wholesale
Thames Skin-on-Frame Society|GBP|London|United Kingdom|Prof. A. Whitlock|Overseas/Wholesale
青岛海风户外用品有限公司|USD|青岛|中国|王海峰|Overseas/Wholesale
香港海上獨木舟會|USD|香港|Hong Kong|陳志明|Overseas/Wholesale
株式会社うみのこ|USD|鎌倉市|日本|佐藤 美咲|Overseas/Wholesale
""")

# Name | currency | city | country | account code | goods or service | typical amount.
SUPPLIERS = _rows("""
Tasman Timber & Veneer Ltd|NZD|Richmond|New Zealand|310|Cedar and tōtara strips, kiln dried|1840
Epoxy Works NZ|NZD|Tauranga|New Zealand|310|Marine epoxy, hardener and glass cloth|960
South Pacific Fasteners|NZD|Christchurch|New Zealand|310|Bronze screws, cleats and deck fittings|310
Kiwi Rope & Cordage|NZD|Nelson|New Zealand|310|Deck line, bungee and tow rope|275
Ripstop & Webbing Co|NZD|Auckland|New Zealand|310|Ripstop nylon, webbing and buckles|720
Mōhua Merino|NZD|Blenheim|New Zealand|310|Merino thermals for resale|1350
Flotsam Buoyancy Aids|AUD|Geelong|Australia|310|Buoyancy aids, assorted sizes|2150
Werner & Blåhval Paddles|EUR|Göteborg|Sverige|310|Carbon paddle shafts and blades|3400
Shenzhen Lucky Tide Plastics 深圳潮汐塑料|USD|深圳|中国|310|Rotomoulded hatches and footrests|2890
North Sea Compass Makers|GBP|Whitby|United Kingdom|310|Deck compasses|640
Nelson City Properties|NZD|Nelson|New Zealand|469|Rent of workshop and shop, 14 Karetu Road|4200
Te Waka Power|NZD|Nelson|New Zealand|445|Electricity|410
Tuatara Telecom|NZD|Wellington|New Zealand|489|Phones and fibre|189
Cloud Accounting Co|NZD|Wellington|New Zealand|485|Accounting subscription|82
Harakeke Insurance Brokers|NZD|Nelson|New Zealand|433|Liability and vehicle cover|690
Swift Bros Freight|NZD|Nelson|New Zealand|425|Freight, pallets and oversize|460
Tradewind Forwarding Ltd|NZD|Auckland|New Zealand|425|Sea freight and customs clearance|1650
Port Hills Fuel Stop|NZD|Nelson|New Zealand|449|Fuel|215
Boulder Bank Motors|NZD|Nelson|New Zealand|449|Van service and WoF|380
Mrs Mop & Daughters|NZD|Richmond|New Zealand|408|Weekly cleaning|160
Paperbark Stationers|NZD|Nelson|New Zealand|461|Printer paper and toner|95
Kōwhai Design Studio|NZD|Nelson|New Zealand|400|Advertising: summer campaign artwork|880
Top of the South Radio|NZD|Nelson|New Zealand|400|Radio spots, breakfast show|540
Ōtautahi Web Workshop|NZD|Christchurch|New Zealand|412|Web shop support|620
Pūriri & Partners Chartered Accountants|NZD|Nelson|New Zealand|412|Monthly compliance work|575
Law on the Quay|NZD|Nelson|New Zealand|441|Advice on leases and guides' contracts|720
Sharp Saws & Tools|NZD|Stoke|New Zealand|473|Blade sharpening and tool repairs|145
Compressor Doctor|NZD|Richmond|New Zealand|473|Compressor service|265
Adventure Risk Auditors|NZD|Wellington|New Zealand|412|Safety audit of guided tours|1150
Sealink Ferries|NZD|Picton|New Zealand|493|Vehicle crossings|310
Kea Airways|NZD|Nelson|New Zealand|493|Flights NSN-AKL|390
Hangi Brothers Catering|NZD|Nelson|New Zealand|420|Catering for guides' training day|340
Skip & Save Waste|NZD|Stoke|New Zealand|429|Skip hire|180
Guardian Alarms|NZD|Nelson|New Zealand|429|Alarm monitoring|75
Mataī Sawmilling|NZD|Murchison|New Zealand|310|Recycled mataī planks|1220
Sew What? Upholstery|NZD|Richmond|New Zealand|310|Seat pads and backbands|430
Island Bay Labels|NZD|Wellington|New Zealand|461|Hull decals and swing tags|260
First Aid First|NZD|Nelson|New Zealand|429|First aid kits restocked|155
Bright Sparks Electrical|NZD|Nelson|New Zealand|473|Wiring of the new spray booth|890
Tūī Training|NZD|Nelson|New Zealand|412|Staff course: sea kayak guide award|760
""")

# Code | name | account | sales price | purchase price (empty: not bought) | description | department.
ITEMS = _rows("""
KAY-TOT-52|Tōtara 5.2 sea kayak kit|200|3480.0000|1210.0000|Strip-built sea kayak kit, 5.2 m, pre-cut|Wholesale
KAY-TOT-46|Tōtara 4.6 day kayak kit|200|2890.0000|1035.0000|Day touring kayak kit, 4.6 m|Wholesale
KAY-PIPI|Pīpī children's kayak|200|745.0000|322.5000|Rotomoulded kayak for children from six years|Retail
KAY-FIN|Finished kayak, made to order|200|6950.0000||Built in the Nelson workshop; sixteen weeks|Workshop
CAN-WAKA|Waka canoe kit|200|3125.0000|1180.0000|Three-seat open canoe kit|Wholesale
PAD-CARB|Carbon wing paddle|200|489.0000|263.7450|Two-piece carbon paddle, adjustable feather|Wholesale
PAD-CEDAR|Cedar Greenland paddle|200|265.0000|88.2500|Hand-shaped western red cedar|Retail
PAD-KIDS|Paddle, small hands|200|89.9000|38.4000|Aluminium shaft, 190 cm|Retail
PFD-ADV|Buoyancy aid Adventure|200|219.0000|112.3000|Pocketed touring buoyancy aid, S to XL|Wholesale
PFD-KIDS|Buoyancy aid Junior|200|129.0000|64.1500|For 20 to 40 kg|Retail
SKIRT-N|Spray skirt, nylon|200|149.0000|61.0000|Adjustable tunnel, fits most cockpits|Wholesale
SKIRT-NEO|Spray skirt, neoprene|200|239.0000|118.8000|Reinforced deck, sizes 1.4 to 2.2|Wholesale
ROPE-M|Deck line, per metre|200|3.4567|1.2875|5 mm reflective deck line, sold by the metre|Wholesale
BUNGEE-M|Bungee cord, per metre|200|2.8995|0.9642|6 mm marine bungee|Wholesale
EPOXY-KG|Marine epoxy, per kg|200|41.8750|24.3333|Two-part laminating epoxy|Workshop
GLASS-M2|Glass cloth 200 g, per m²|200|18.2500|8.9125|Plain weave E-glass|Workshop
HATCH-24|Hatch cover 24 cm|200|58.0000|22.4500|Rubber hatch with plastic rim|Wholesale
RUDDER|Rudder kit|200|329.0000|171.2000|Flip-up rudder with pedals|Wholesale
COMPASS|Deck compass|200|189.0000|97.6500|70 mm card, recess mount|Wholesale
BAG-20|Dry bag 20 l|200|44.9000|17.8500|Roll-top|Retail
BAG-60|Dry bag 60 l|200|79.9000|33.2500|Roll-top with shoulder straps|Retail
TROLLEY|Kayak trolley|200|169.0000|74.9000|Folding, puncture-proof wheels|Retail
RACK|J-bar roof rack|200|198.0000|92.0000|Pair, fits most bars|Retail
MERINO-T|Merino paddling top|200|139.0000|68.4000|190 g merino, long sleeves|Retail
HAT|Sun hat with chin cord|200|49.0000|16.9000|UPF 50+|Retail
MAP-ATNP|Tide map, Abel Tasman coast|200|24.5000|9.8000|Waterproof map with tide tables|Retail
TOUR-DAY|Guided day on the water|201|195.0000||Guide, kayak, lunch; per person|Tours
TOUR-3D|Three-day guided trip|201|875.0000||Camping trip with guide, meals and equipment; per person|Tours
TOUR-SCH|School day, per pupil|201|62.5000||Ratio one guide to six pupils|Tours
HIRE-DAY|Kayak hire, per day|202|85.0000||Single sea kayak with paddle and buoyancy aid|Tours
HIRE-DBL|Double kayak hire, per day|202|135.0000||Double sea kayak with two sets of gear|Tours
BERTH|Kayak storage, per month|202|48.0000||Rack in the boat shed, locked|Retail
REP-HR|Workshop hour|203|98.0000||Repair and refinishing, per hour|Workshop
REP-HULL|Hull refinish|203|640.0000||Sand, glass and varnish one hull|Workshop
COURSE-BUILD|Build-your-own-kayak course|201|2650.0000||Nine days in the workshop, kit extra|Workshop
COURSE-ROLL|Rolling clinic|201|120.0000||Two hours in the pool; per person|Tours
FREIGHT|Freight and handling|205|85.0000||Oversize freight within New Zealand|Wholesale
GIFT|Gift card|200|100.0000||Valid for two years|Retail
""")

# Code | name | sales price | purchase price | opening quantity. These are tracked as inventory.
TRACKED = _rows("""
HULL-LX|Hull Luxe 5.0, finished|4150.0000|2280.0000|14
HULL-SP|Hull Sport 4.8, finished|3350.0000|1795.5000|18
PAD-PRO|Pro paddle, boxed|315.0000|148.2500|160
TENT-2|Beach tent for two|429.0000|231.9000|60
STOVE|Gas stove set|118.0000|57.3500|120
""")

PEOPLE = _rows("""
Aroha|Liam|Manaaki|Chloé|Jürgen|Mei-Ling|Siobhán|Tāne|Zoë|Arjun|Hana|Søren|Isla|Matiu|Grace|Noah|Lucía
O'Connor|Ngata|Müller|Smith|Patel|Tūhoe|Nguyễn|Fitzgerald|Brown|Whatarau|Jones|Łukasz|Sato|D'Arcy|Wilson|Chen
""")
"""First names and last names of people who book for themselves."""

STREETS = _rows("Karetu Road|Haven Road|Vanguard Street|Rocks Road|Tāhunanui Drive|Collingwood Street")[0]

REPAIRS = _rows("""
Repair of a crack below the waterline, two layers of glass|New footrests and pegs fitted
Skeg box leak traced and sealed|Deck varnished, three coats|Cockpit rim re-bonded after a fall from a roof rack
""")

LONG_TEXT = (
    "Made to order: hull in book-matched tōtara over cedar, deck in kauri reclaimed from the old Picton "
    "wharf, recessed deck fittings, three hatches, day hatch behind the cockpit, hand-carved coaming. "
) * 18

DATE_TEXT = "Imported from the old stock system, note reads: last counted /Date(1234567890)/ by JK"
