"""The page in English."""

from dialer.web.visitor.texts import Notice, Stands, Texts, Trouble

ENGLISH = Texts(
    code="en",
    name="English",
    days=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    months=(
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
    uk_time="UK time",
    labels={
        "digits": "The number that we call ends in {digits}.",
        "move": "Choose another time",
        "move_button": "Move my callback",
        "no_times": "There is no other time that we could offer just now.",
        "later": "Later days",
        "first": "Back to the first days",
        "cancel": "Cancel this callback",
        "cancel_text": "Then we do not call you about this request.",
        "cancel_button": "Yes, cancel it",
        "object": "Do not call me any more",
        "object_text": (
            "Your number goes on our do-not-call list: whatever waits for it is cancelled, and new requests for it "
            "are refused, whoever makes them."
        ),
        "object_button": "Yes, never call this number",
        "language": "Language",
    },
    stands={
        Stands.PLANNED: ("Your callback", "{site} calls you at this time:"),
        Stands.AGAIN: ("We try again", "We tried to reach you. {site} calls you again at this time:"),
        Stands.SOON: ("We are about to call you", "{site} calls you as soon as somebody is free."),
        Stands.CALLING: ("We are calling you", "{site} is calling you right now."),
        Stands.STOPPING: (
            "We are stopping the call",
            (
                "You asked us not to call. A call had begun, and we stop it if that is still possible. Please look "
                "again in a minute."
            ),
        ),
        Stands.MOVING: (
            "We are moving your callback",
            (
                "A call had begun when you asked us to call another time. We stop it if that is still possible. "
                "Please look again in a minute."
            ),
        ),
        Stands.LATE: (
            "We are calling you",
            (
                "{site} was calling you already when you asked for something else. It holds for whatever comes after "
                "this call."
            ),
        ),
        Stands.REVIEWED: (
            "We are looking into your call",
            "We could not see how our call to you ended. A person looks into it, and nobody is called meanwhile.",
        ),
        Stands.CALLED: ("We have called you", "This callback is done. Thank you."),
        Stands.NOT_REACHED: ("We did not reach you", "We tried, and have given this callback up."),
        Stands.CANCELLED: ("Your callback is cancelled", "We do not call you about this request."),
        Stands.EXPIRED: (
            "We could not call you in time",
            "We are sorry: nobody was free in time, and this callback has ended.",
        ),
        Stands.OBJECTED: ("We do not call you", "Your number is on our do-not-call list."),
        Stands.REJECTED: ("We cannot call you", "This number may not be called."),
    },
    notices={
        Notice.MOVED: "Done: your callback has been moved.",
        Notice.CANCELLED: "Done: your callback has been cancelled.",
        Notice.OBJECTED: "Done: this number will not be called any more.",
        Notice.OBJECTED_LATE: (
            "Your number is on our do-not-call list now. A call that had begun already may still reach you."
        ),
        Notice.TOO_LATE: "That came too late: the call had begun already, or was over.",
        Notice.UNDECIDED: (
            "We have noted your wish. Whether it came in time is not certain yet: please look again in a minute."
        ),
        Notice.CHANGED: "Your callback has been changed meanwhile. This is how it stands now: please choose again.",
        Notice.GONE: "We can no longer keep that time. Please choose another one.",
        Notice.NONE_CHOSEN: "Please choose a time first.",
        Notice.TOO_OLD: "This page had been open for too long, and nothing was changed. Please try again.",
    },
    troubles={
        Trouble.NO_LINK: (
            "This link is no longer valid",
            (
                "It may have expired, or was not copied whole. If you are waiting for a call or want to change one, "
                "please contact the business that you asked for it."
            ),
        ),
        Trouble.FOREIGN_FORM: (
            "Nothing was changed",
            "Your browser did not say that this came from our page. Please open the link from your message again.",
        ),
        Trouble.TOO_OFTEN: ("One moment, please", "That was too often in a short time. Please try again in a minute."),
        Trouble.NOT_NOW: (
            "This does not work just now",
            "The fault is ours. What you asked for has not been done: please try again in a minute.",
        ),
    },
)
