"""The page in Welsh."""

from dialer.web.visitor.texts import Notice, Stands, Texts, Trouble

WELSH = Texts(
    code="cy",
    name="Cymraeg",
    days=("Dydd Llun", "Dydd Mawrth", "Dydd Mercher", "Dydd Iau", "Dydd Gwener", "Dydd Sadwrn", "Dydd Sul"),
    months=(
        *("Ionawr", "Chwefror", "Mawrth", "Ebrill", "Mai", "Mehefin"),
        *("Gorffennaf", "Awst", "Medi", "Hydref", "Tachwedd", "Rhagfyr"),
    ),
    uk_time="amser y DU",
    labels={
        "digits": "Mae'r rhif y byddwn yn ei ffonio yn gorffen gyda {digits}.",
        "move": "Dewis amser arall",
        "move_button": "Symud fy ngalwad",
        "no_times": "Nid oes amser arall y gallem ei gynnig ar hyn o bryd.",
        "later": "Dyddiau diweddarach",
        "first": "Yn ôl i'r dyddiau cyntaf",
        "cancel": "Canslo'r alwad hon",
        "cancel_text": "Ni fyddwn wedyn yn eich ffonio ynghylch y cais hwn.",
        "cancel_button": "Ie, canslwch yr alwad",
        "object": "Peidiwch â'm ffonio mwyach",
        "object_text": (
            "Bydd eich rhif yn mynd ar ein rhestr peidio â ffonio: caiff popeth sy'n aros amdano ei ganslo, a chaiff "
            "ceisiadau newydd ar ei gyfer eu gwrthod, pwy bynnag sy'n eu gwneud."
        ),
        "object_button": "Ie, peidiwch byth â ffonio'r rhif hwn",
        "language": "Iaith",
    },
    stands={
        Stands.PLANNED: ("Eich galwad yn ôl", "Bydd {site} yn eich ffonio ar yr amser hwn:"),
        Stands.AGAIN: (
            "Byddwn yn rhoi cynnig arall arni",
            "Fe wnaethom geisio eich ffonio. Bydd {site} yn eich ffonio eto ar yr amser hwn:",
        ),
        Stands.SOON: ("Rydym ar fin eich ffonio", "Bydd {site} yn eich ffonio cyn gynted ag y bydd rhywun ar gael."),
        Stands.CALLING: ("Rydym yn eich ffonio", "Mae {site} yn eich ffonio yr eiliad hon."),
        Stands.STOPPING: (
            "Rydym yn atal yr alwad",
            (
                "Fe wnaethoch ofyn inni beidio â ffonio. Roedd galwad wedi dechrau, ac fe'i hataliwn os yw hynny'n "
                "dal yn bosibl. Edrychwch eto ymhen munud."
            ),
        ),
        Stands.MOVING: (
            "Rydym yn symud eich galwad",
            (
                "Roedd galwad wedi dechrau pan ofynnoch inni ffonio rywbryd arall. Fe'i hataliwn os yw hynny'n dal "
                "yn bosibl. Edrychwch eto ymhen munud."
            ),
        ),
        Stands.LATE: (
            "Rydym yn eich ffonio",
            (
                "Roedd {site} eisoes yn eich ffonio pan ofynnoch am rywbeth arall. Bydd hynny'n cyfrif ar gyfer beth "
                "bynnag a ddaw ar ôl yr alwad hon."
            ),
        ),
        Stands.REVIEWED: (
            "Rydym yn edrych i mewn i'ch galwad",
            (
                "Ni allem weld sut y daeth ein galwad i ben. Mae rhywun yn edrych i mewn i hyn, ac ni chaiff neb ei "
                "ffonio yn y cyfamser."
            ),
        ),
        Stands.CALLED: ("Rydym wedi eich ffonio", "Mae'r alwad hon wedi'i chwblhau. Diolch."),
        Stands.NOT_REACHED: ("Ni chawsom afael arnoch", "Fe wnaethom geisio, ac ni fyddwn yn ceisio eto."),
        Stands.CANCELLED: ("Mae eich galwad wedi'i chanslo", "Ni fyddwn yn eich ffonio ynghylch y cais hwn."),
        Stands.EXPIRED: (
            "Ni allem eich ffonio mewn pryd",
            "Mae'n ddrwg gennym: nid oedd neb ar gael mewn pryd, ac mae'r cais hwn wedi dod i ben.",
        ),
        Stands.OBJECTED: ("Ni fyddwn yn eich ffonio", "Mae eich rhif ar ein rhestr peidio â ffonio."),
        Stands.REJECTED: ("Ni allwn eich ffonio", "Ni chaniateir ffonio'r rhif hwn."),
    },
    notices={
        Notice.MOVED: "Wedi'i wneud: mae eich galwad wedi'i symud.",
        Notice.CANCELLED: "Wedi'i wneud: mae eich galwad wedi'i chanslo.",
        Notice.OBJECTED: "Wedi'i wneud: ni chaiff y rhif hwn ei ffonio mwyach.",
        Notice.OBJECTED_LATE: (
            "Mae eich rhif bellach ar ein rhestr peidio â ffonio. Gall galwad a oedd eisoes wedi dechrau eich "
            "cyrraedd o hyd."
        ),
        Notice.TOO_LATE: "Roedd hynny'n rhy hwyr: roedd yr alwad eisoes wedi dechrau, neu ar ben.",
        Notice.UNDECIDED: (
            "Rydym wedi nodi eich dymuniad. Nid yw'n sicr eto a ddaeth mewn pryd: edrychwch eto ymhen munud."
        ),
        Notice.CHANGED: "Mae eich galwad wedi newid yn y cyfamser. Dyma fel y mae nawr: dewiswch eto.",
        Notice.GONE: "Ni allwn gadw'r amser hwnnw mwyach. Dewiswch un arall.",
        Notice.NONE_CHOSEN: "Dewiswch amser yn gyntaf.",
        Notice.TOO_OLD: "Bu'r dudalen hon ar agor yn rhy hir, ac ni newidiwyd dim. Rhowch gynnig arall arni.",
    },
    troubles={
        Trouble.NO_LINK: (
            "Nid yw'r ddolen hon yn ddilys mwyach",
            (
                "Efallai ei bod wedi dod i ben, neu heb ei chopïo'n gyfan. Os ydych yn aros am alwad neu am newid "
                "un, cysylltwch â'r busnes y gofynnoch iddo amdani."
            ),
        ),
        Trouble.FOREIGN_FORM: (
            "Ni newidiwyd dim",
            "Ni ddywedodd eich porwr fod hyn wedi dod o'n tudalen ni. Agorwch y ddolen o'ch neges eto.",
        ),
        Trouble.TOO_OFTEN: ("Un eiliad, os gwelwch yn dda", "Roedd hynny'n rhy aml. Rhowch gynnig arall ymhen munud."),
        Trouble.NOT_NOW: (
            "Nid yw hyn yn gweithio ar hyn o bryd",
            "Ni sydd ar fai. Ni wnaed yr hyn y gofynnoch amdano: rhowch gynnig arall ymhen munud.",
        ),
    },
)
