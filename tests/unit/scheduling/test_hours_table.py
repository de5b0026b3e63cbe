"""Opening hours as a table: at an instant of the local clock, is it open, and when does it open next?

Read a row as: *what* is tried, with which of the HOURS below, *at* which local time (with its offset from UTC), whether
it is *open* then, and the *next opening* ("now" while it is open). A new case is a new row.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dialer.domain.directory import Nation
from dialer.scheduling.hours import is_open, next_opening
from tests.unit.scheduling.samples import LONDON, NEW_YORK, hours

OFFICE = "09:00-17:30"
EVERY_DAY_OF_2027 = {f"{date(2027, 1, 1) + timedelta(days=count)}": "" for count in range(365)}

HOURS = {
    "office": hours(LONDON, mon_fri=OFFICE),
    "lunch": hours(LONDON, mon_fri="09:00-12:30 13:30-17:30"),
    "always": hours(LONDON, "00:00-24:00"),
    "never": hours(LONDON),
    "night": hours(LONDON, "22:00-06:00"),
    "friday night": hours(LONDON, fri="20:00-04:00"),
    "early": hours(LONDON, "01:30-09:00"),
    "small hours": hours(LONDON, "01:15-01:45"),
    "christmas": hours(
        LONDON,
        mon_fri=OFFICE,
        exceptions={
            "2026-12-24": "09:00-12:00",
            "2026-12-25": "",
            "2026-12-28": "",
            "2027-01-03": "10:00-11:00 20:00-21:00",
        },
    ),
    "long closed": hours(LONDON, mon_fri=OFFICE, exceptions=EVERY_DAY_OF_2027),
    "closed 14th": hours(LONDON, "22:00-06:00", exceptions={"2026-07-14": ""}),
    "late 14th": hours(LONDON, "22:00-06:00", exceptions={"2026-07-14": "23:00-02:00"}),
    "england": hours(LONDON, mon_fri=OFFICE, nation=Nation.ENGLAND),
    "wales": hours(LONDON, mon_fri=OFFICE, nation=Nation.WALES),
    "scotland": hours(LONDON, mon_fri=OFFICE, nation=Nation.SCOTLAND),
    "n. ireland": hours(LONDON, mon_fri=OFFICE, nation=Nation.NORTHERN_IRELAND),
    "holidays": hours(
        LONDON,
        mon_fri=OFFICE,
        nation=Nation.ENGLAND,
        on_holidays="10:00-14:00",
        exceptions={"2026-05-25": "15:00-17:00"},
    ),
    "daily": hours(LONDON, OFFICE, nation=Nation.ENGLAND),
    "hol. night": hours(LONDON, "22:00-06:00", nation=Nation.ENGLAND),
    "ny office": hours(NEW_YORK, mon_fri=OFFICE),
    "ny early": hours(NEW_YORK, "02:30-09:00"),
    "ny past one": hours(NEW_YORK, "01:15-01:45"),
    "ny past two": hours(NEW_YORK, "02:15-02:45"),
    "beirut": hours(ZoneInfo("Asia/Beirut"), "00:00-02:00"),
    "cairo": hours(ZoneInfo("Africa/Cairo"), "23:00-02:00"),
    "sao paulo": hours(ZoneInfo("America/Sao_Paulo"), "00:00-02:00"),
    "howe": hours(ZoneInfo("Australia/Lord_Howe"), "02:00-03:00"),
    "howe past": hours(ZoneInfo("Australia/Lord_Howe"), "01:40-01:50"),
}

TABLE = """
what                                    | hours        | at                          | open | next opening

London: an ordinary week of the office
before it opens                         | office       | Mon 2026-05-11 08:59 +01    | no  | Mon 2026-05-11 09:00 +01
on the minute it opens                  | office       | Mon 2026-05-11 09:00 +01    | yes | now
the last minute                         | office       | Mon 2026-05-11 17:29 +01    | yes | now
on the minute it closes                 | office       | Mon 2026-05-11 17:30 +01    | no  | Tue 2026-05-12 09:00 +01
the weekend                             | office       | Fri 2026-05-15 17:30 +01    | no  | Mon 2026-05-18 09:00 +01
in winter                               | office       | Mon 2026-01-12 08:59 +00    | no  | Mon 2026-01-12 09:00 +00

London: lunch, whole days, never
lunch begins                            | lunch        | Tue 2026-05-12 12:30 +01    | no  | Tue 2026-05-12 13:30 +01
after lunch                             | lunch        | Tue 2026-05-12 13:30 +01    | yes | now
whole days, at midnight                 | always       | Sun 2026-05-17 00:00 +01    | yes | now
whole days, in an hour that comes twice | always       | Sun 2026-10-25 01:30 +00    | yes | now
no hours at all                         | never        | Mon 2026-05-11 10:00 +01    | no  | never

London: over midnight
the evening before it opens             | night        | Mon 2026-05-11 21:59 +01    | no  | Mon 2026-05-11 22:00 +01
across midnight                         | night        | Tue 2026-05-12 00:00 +01    | yes | now
the last minute of the night            | night        | Tue 2026-05-12 05:59 +01    | yes | now
the morning it closes                   | night        | Tue 2026-05-12 06:00 +01    | no  | Tue 2026-05-12 22:00 +01
Friday's night goes on on Saturday      | friday night | Sat 2026-05-16 03:59 +01    | yes | now
Friday's night is over                  | friday night | Sat 2026-05-16 04:00 +01    | no  | Fri 2026-05-22 20:00 +01
no night begins on Saturday             | friday night | Sun 2026-05-17 01:00 +01    | no  | Fri 2026-05-22 20:00 +01
a night shortened by the clocks         | night        | Sun 2026-03-29 05:59 +01    | yes | now
and its end                             | night        | Sun 2026-03-29 06:00 +01    | no  | Sun 2026-03-29 22:00 +01
a night made longer by the clocks       | night        | Sun 2026-10-25 01:30 +00    | yes | now

London: exceptions by date
other hours, still open                 | christmas    | Thu 2026-12-24 11:59 +00    | yes | now
other hours, already closed             | christmas    | Thu 2026-12-24 12:00 +00    | no  | Tue 2026-12-29 09:00 +00
closed all day                          | christmas    | Fri 2026-12-25 10:00 +00    | no  | Tue 2026-12-29 09:00 +00
open on a Sunday for once               | christmas    | Sun 2027-01-03 10:00 +00    | yes | now
an hour that no other day has           | christmas    | Sun 2027-01-03 18:00 +00    | no  | Sun 2027-01-03 20:00 +00
a year of exceptions, all closed        | long closed  | Fri 2027-01-01 00:00 +00    | no  | Mon 2028-01-03 09:00 +00

London: exceptions and the night before
until the closed day's midnight         | closed 14th  | Mon 2026-07-13 23:59 +01    | yes | now
nothing runs over into the closed day   | closed 14th  | Tue 2026-07-14 00:00 +01    | no  | Wed 2026-07-15 22:00 +01
nothing comes out of the closed day     | closed 14th  | Wed 2026-07-15 01:00 +01    | no  | Wed 2026-07-15 22:00 +01
a short night cuts the one before       | late 14th    | Tue 2026-07-14 00:00 +01    | no  | Tue 2026-07-14 23:00 +01
a short night runs over itself          | late 14th    | Wed 2026-07-15 01:59 +01    | yes | now
and has its own end                     | late 14th    | Wed 2026-07-15 02:00 +01    | no  | Wed 2026-07-15 22:00 +01

London, 2026: the clocks go forward, and there is no time from 01:00 to 02:00
before, hours that begin in the gap     | early        | Sun 2026-03-29 00:59 +00    | no  | Sun 2026-03-29 02:00 +01
after, hours that began in the gap      | early        | Sun 2026-03-29 02:00 +01    | yes | now
hours that lie in the gap are left out  | small hours  | Sun 2026-03-29 00:59 +00    | no  | Mon 2026-03-30 01:15 +01
the office, the winter's last evening   | office       | Fri 2026-03-27 17:30 +00    | no  | Mon 2026-03-30 09:00 +01

London, 2027: the clocks go forward, and there is no time from 01:00 to 02:00
before, hours that begin in the gap     | early        | Sun 2027-03-28 00:59 +00    | no  | Sun 2027-03-28 02:00 +01
after, hours that began in the gap      | early        | Sun 2027-03-28 02:00 +01    | yes | now
hours that lie in the gap are left out  | small hours  | Sun 2027-03-28 00:59 +00    | no  | Mon 2027-03-29 01:15 +01
the office, the winter's last evening   | office       | Fri 2027-03-26 17:30 +00    | no  | Mon 2027-03-29 09:00 +01

London, 2028: the clocks go forward, and there is no time from 01:00 to 02:00
before, hours that begin in the gap     | early        | Sun 2028-03-26 00:59 +00    | no  | Sun 2028-03-26 02:00 +01
after, hours that began in the gap      | early        | Sun 2028-03-26 02:00 +01    | yes | now
hours that lie in the gap are left out  | small hours  | Sun 2028-03-26 00:59 +00    | no  | Mon 2028-03-27 01:15 +01
the office, the winter's last evening   | office       | Fri 2028-03-24 17:30 +00    | no  | Mon 2028-03-27 09:00 +01

London, 2026: the clocks go back, and the time from 01:00 to 02:00 comes twice
the first time                          | small hours  | Sun 2026-10-25 01:15 +01    | yes | now
between the two                         | small hours  | Sun 2026-10-25 01:45 +01    | no  | Sun 2026-10-25 01:15 +00
the second time                         | small hours  | Sun 2026-10-25 01:44 +00    | yes | now
after both                              | small hours  | Sun 2026-10-25 01:45 +00    | no  | Mon 2026-10-26 01:15 +00
the office, the summer's last evening   | office       | Fri 2026-10-23 17:30 +01    | no  | Mon 2026-10-26 09:00 +00

London, 2027: the clocks go back, and the time from 01:00 to 02:00 comes twice
the first time                          | small hours  | Sun 2027-10-31 01:15 +01    | yes | now
between the two                         | small hours  | Sun 2027-10-31 01:45 +01    | no  | Sun 2027-10-31 01:15 +00
the second time                         | small hours  | Sun 2027-10-31 01:44 +00    | yes | now
after both                              | small hours  | Sun 2027-10-31 01:45 +00    | no  | Mon 2027-11-01 01:15 +00
the office, the summer's last evening   | office       | Fri 2027-10-29 17:30 +01    | no  | Mon 2027-11-01 09:00 +00

London, 2028: the clocks go back, and the time from 01:00 to 02:00 comes twice
the first time                          | small hours  | Sun 2028-10-29 01:15 +01    | yes | now
between the two                         | small hours  | Sun 2028-10-29 01:45 +01    | no  | Sun 2028-10-29 01:15 +00
the second time                         | small hours  | Sun 2028-10-29 01:44 +00    | yes | now
after both                              | small hours  | Sun 2028-10-29 01:45 +00    | no  | Mon 2028-10-30 01:15 +00
the office, the summer's last evening   | office       | Fri 2028-10-27 17:30 +01    | no  | Mon 2028-10-30 09:00 +00

New York, 2026: the clocks go forward, and there is no time from 02:00 to 03:00
before, hours that begin in the gap     | ny early     | Sun 2026-03-08 01:59 -05    | no  | Sun 2026-03-08 03:00 -04
after, hours that began in the gap      | ny early     | Sun 2026-03-08 03:00 -04    | yes | now
hours that lie in the gap are left out  | ny past two  | Sun 2026-03-08 01:59 -05    | no  | Mon 2026-03-09 02:15 -04
the office, the winter's last evening   | ny office    | Fri 2026-03-06 17:30 -05    | no  | Mon 2026-03-09 09:00 -04

New York, 2027: the clocks go forward, and there is no time from 02:00 to 03:00
before, hours that begin in the gap     | ny early     | Sun 2027-03-14 01:59 -05    | no  | Sun 2027-03-14 03:00 -04
after, hours that began in the gap      | ny early     | Sun 2027-03-14 03:00 -04    | yes | now
hours that lie in the gap are left out  | ny past two  | Sun 2027-03-14 01:59 -05    | no  | Mon 2027-03-15 02:15 -04
the office, the winter's last evening   | ny office    | Fri 2027-03-12 17:30 -05    | no  | Mon 2027-03-15 09:00 -04

New York, 2028: the clocks go forward, and there is no time from 02:00 to 03:00
before, hours that begin in the gap     | ny early     | Sun 2028-03-12 01:59 -05    | no  | Sun 2028-03-12 03:00 -04
after, hours that began in the gap      | ny early     | Sun 2028-03-12 03:00 -04    | yes | now
hours that lie in the gap are left out  | ny past two  | Sun 2028-03-12 01:59 -05    | no  | Mon 2028-03-13 02:15 -04
the office, the winter's last evening   | ny office    | Fri 2028-03-10 17:30 -05    | no  | Mon 2028-03-13 09:00 -04

New York, 2026: the clocks go back, and the time from 01:00 to 02:00 comes twice
the first time                          | ny past one  | Sun 2026-11-01 01:15 -04    | yes | now
between the two                         | ny past one  | Sun 2026-11-01 01:45 -04    | no  | Sun 2026-11-01 01:15 -05
the second time                         | ny past one  | Sun 2026-11-01 01:44 -05    | yes | now
after both                              | ny past one  | Sun 2026-11-01 01:45 -05    | no  | Mon 2026-11-02 01:15 -05
the office, the summer's last evening   | ny office    | Fri 2026-10-30 17:30 -04    | no  | Mon 2026-11-02 09:00 -05

New York, 2027: the clocks go back, and the time from 01:00 to 02:00 comes twice
the first time                          | ny past one  | Sun 2027-11-07 01:15 -04    | yes | now
between the two                         | ny past one  | Sun 2027-11-07 01:45 -04    | no  | Sun 2027-11-07 01:15 -05
the second time                         | ny past one  | Sun 2027-11-07 01:44 -05    | yes | now
after both                              | ny past one  | Sun 2027-11-07 01:45 -05    | no  | Mon 2027-11-08 01:15 -05
the office, the summer's last evening   | ny office    | Fri 2027-11-05 17:30 -04    | no  | Mon 2027-11-08 09:00 -05

New York, 2028: the clocks go back, and the time from 01:00 to 02:00 comes twice
the first time                          | ny past one  | Sun 2028-11-05 01:15 -04    | yes | now
between the two                         | ny past one  | Sun 2028-11-05 01:45 -04    | no  | Sun 2028-11-05 01:15 -05
the second time                         | ny past one  | Sun 2028-11-05 01:44 -05    | yes | now
after both                              | ny past one  | Sun 2028-11-05 01:45 -05    | no  | Mon 2028-11-06 01:15 -05
the office, the summer's last evening   | ny office    | Fri 2028-11-03 17:30 -04    | no  | Mon 2028-11-06 09:00 -05

Elsewhere: clocks that change at midnight, or by half an hour
Beirut: the day begins at 01:00         | beirut       | Sat 2027-03-27 23:59 +02    | no  | Sun 2027-03-28 01:00 +03
Beirut: the last hour comes twice       | beirut       | Sat 2027-10-30 23:30 +02    | no  | Sun 2027-10-31 00:00 +02
Cairo: the day begins at 01:00          | cairo        | Thu 2026-04-23 23:59 +02    | yes | now
Cairo: open until 02:00 all the same    | cairo        | Fri 2026-04-24 01:59 +03    | yes | now
Cairo: the last hour comes twice, first | cairo        | Thu 2026-10-29 23:59 +03    | yes | now
Cairo: and again                        | cairo        | Thu 2026-10-29 23:00 +02    | yes | now
Cairo: after both                       | cairo        | Fri 2026-10-30 02:00 +02    | no  | Fri 2026-10-30 23:00 +02
São Paulo: the day begins at 01:00      | sao paulo    | Sat 2018-11-03 23:59 -03    | no  | Sun 2018-11-04 01:00 -02
São Paulo: the last hour comes twice    | sao paulo    | Sat 2018-02-17 23:00 -03    | no  | Sun 2018-02-18 00:00 -03
Lord Howe: half an hour is left out     | howe         | Sun 2026-10-04 01:59 +10:30 | no  | Sun 2026-10-04 02:30 +11
Lord Howe: half an hour twice, first    | howe past    | Sun 2026-04-05 01:45 +11    | yes | now
Lord Howe: and again                    | howe past    | Sun 2026-04-05 01:30 +10:30 | no  | Sun 2026-04-05 01:40 +10:30

Bank holidays: New Year's Day 2026, a Thursday
in England                              | england      | Thu 2026-01-01 10:00 +00    | no  | Fri 2026-01-02 09:00 +00
in Wales                                | wales        | Thu 2026-01-01 10:00 +00    | no  | Fri 2026-01-02 09:00 +00
in Scotland                             | scotland     | Thu 2026-01-01 10:00 +00    | no  | Mon 2026-01-05 09:00 +00
in Northern Ireland                     | n. ireland   | Thu 2026-01-01 10:00 +00    | no  | Fri 2026-01-02 09:00 +00

Bank holidays: 2 January 2026, Scotland's
in England                              | england      | Fri 2026-01-02 10:00 +00    | yes | now
in Wales                                | wales        | Fri 2026-01-02 10:00 +00    | yes | now
in Scotland                             | scotland     | Fri 2026-01-02 10:00 +00    | no  | Mon 2026-01-05 09:00 +00
in Northern Ireland                     | n. ireland   | Fri 2026-01-02 10:00 +00    | yes | now

Bank holidays: St Patrick's Day 2026, Northern Ireland's
in England                              | england      | Tue 2026-03-17 10:00 +00    | yes | now
in Wales                                | wales        | Tue 2026-03-17 10:00 +00    | yes | now
in Scotland                             | scotland     | Tue 2026-03-17 10:00 +00    | yes | now
in Northern Ireland                     | n. ireland   | Tue 2026-03-17 10:00 +00    | no  | Wed 2026-03-18 09:00 +00

Bank holidays: Good Friday 2026, everybody's, and then Easter Monday, not Scotland's
in England                              | england      | Fri 2026-04-03 10:00 +01    | no  | Tue 2026-04-07 09:00 +01
in Wales                                | wales        | Fri 2026-04-03 10:00 +01    | no  | Tue 2026-04-07 09:00 +01
in Scotland                             | scotland     | Fri 2026-04-03 10:00 +01    | no  | Mon 2026-04-06 09:00 +01
in Northern Ireland                     | n. ireland   | Fri 2026-04-03 10:00 +01    | no  | Tue 2026-04-07 09:00 +01

Bank holidays: Easter Monday 2026
in England                              | england      | Mon 2026-04-06 10:00 +01    | no  | Tue 2026-04-07 09:00 +01
in Wales                                | wales        | Mon 2026-04-06 10:00 +01    | no  | Tue 2026-04-07 09:00 +01
in Scotland                             | scotland     | Mon 2026-04-06 10:00 +01    | yes | now
in Northern Ireland                     | n. ireland   | Mon 2026-04-06 10:00 +01    | no  | Tue 2026-04-07 09:00 +01

Bank holidays: Easter 2027, with the clocks going forward on its Sunday
in England                              | england      | Fri 2027-03-26 10:00 +00    | no  | Tue 2027-03-30 09:00 +01
in Wales                                | wales        | Fri 2027-03-26 10:00 +00    | no  | Tue 2027-03-30 09:00 +01
in Scotland                             | scotland     | Fri 2027-03-26 10:00 +00    | no  | Mon 2027-03-29 09:00 +01
in Northern Ireland                     | n. ireland   | Fri 2027-03-26 10:00 +00    | no  | Tue 2027-03-30 09:00 +01

Bank holidays: 12 July 2026 is a Sunday, and the Monday stands in for it in Northern Ireland
in England                              | england      | Mon 2026-07-13 10:00 +01    | yes | now
in Wales                                | wales        | Mon 2026-07-13 10:00 +01    | yes | now
in Scotland                             | scotland     | Mon 2026-07-13 10:00 +01    | yes | now
in Northern Ireland                     | n. ireland   | Mon 2026-07-13 10:00 +01    | no  | Tue 2026-07-14 09:00 +01

Bank holidays: the first Monday in August 2026, Scotland's
in England                              | england      | Mon 2026-08-03 10:00 +01    | yes | now
in Wales                                | wales        | Mon 2026-08-03 10:00 +01    | yes | now
in Scotland                             | scotland     | Mon 2026-08-03 10:00 +01    | no  | Tue 2026-08-04 09:00 +01
in Northern Ireland                     | n. ireland   | Mon 2026-08-03 10:00 +01    | yes | now

Bank holidays: the last Monday in August 2026, the others'
in England                              | england      | Mon 2026-08-31 10:00 +01    | no  | Tue 2026-09-01 09:00 +01
in Wales                                | wales        | Mon 2026-08-31 10:00 +01    | no  | Tue 2026-09-01 09:00 +01
in Scotland                             | scotland     | Mon 2026-08-31 10:00 +01    | yes | now
in Northern Ireland                     | n. ireland   | Mon 2026-08-31 10:00 +01    | no  | Tue 2026-09-01 09:00 +01

Bank holidays: St Andrew's Day 2026, Scotland's
in England                              | england      | Mon 2026-11-30 10:00 +00    | yes | now
in Wales                                | wales        | Mon 2026-11-30 10:00 +00    | yes | now
in Scotland                             | scotland     | Mon 2026-11-30 10:00 +00    | no  | Tue 2026-12-01 09:00 +00
in Northern Ireland                     | n. ireland   | Mon 2026-11-30 10:00 +00    | yes | now

Bank holidays: Christmas 2026, and Monday stands in for Boxing Day, a Saturday
in England                              | england      | Fri 2026-12-25 10:00 +00    | no  | Tue 2026-12-29 09:00 +00
in Wales                                | wales        | Fri 2026-12-25 10:00 +00    | no  | Tue 2026-12-29 09:00 +00
in Scotland                             | scotland     | Fri 2026-12-25 10:00 +00    | no  | Tue 2026-12-29 09:00 +00
in Northern Ireland                     | n. ireland   | Fri 2026-12-25 10:00 +00    | no  | Tue 2026-12-29 09:00 +00

Bank holidays: Christmas 2027, and Monday and Tuesday stand in for a weekend
in England                              | england      | Fri 2027-12-24 17:30 +00    | no  | Wed 2027-12-29 09:00 +00
in Wales                                | wales        | Fri 2027-12-24 17:30 +00    | no  | Wed 2027-12-29 09:00 +00
in Scotland                             | scotland     | Fri 2027-12-24 17:30 +00    | no  | Wed 2027-12-29 09:00 +00
in Northern Ireland                     | n. ireland   | Fri 2027-12-24 17:30 +00    | no  | Wed 2027-12-29 09:00 +00

Bank holidays: New Year 2028, and Monday stands in for a Saturday, in Scotland Tuesday for a Sunday
in England                              | england      | Fri 2027-12-31 17:30 +00    | no  | Tue 2028-01-04 09:00 +00
in Wales                                | wales        | Fri 2027-12-31 17:30 +00    | no  | Tue 2028-01-04 09:00 +00
in Scotland                             | scotland     | Fri 2027-12-31 17:30 +00    | no  | Wed 2028-01-05 09:00 +00
in Northern Ireland                     | n. ireland   | Fri 2027-12-31 17:30 +00    | no  | Tue 2028-01-04 09:00 +00

Bank holidays: other hours, exceptions, nights
holiday hours, before they begin        | holidays     | Mon 2026-05-04 09:30 +01    | no  | Mon 2026-05-04 10:00 +01
holiday hours, after their end          | holidays     | Mon 2026-05-04 14:00 +01    | no  | Tue 2026-05-05 09:00 +01
an exception outranks a holiday         | holidays     | Mon 2026-05-25 16:00 +01    | yes | now
the day itself counts on a Saturday     | daily        | Sat 2026-12-26 10:00 +00    | no  | Sun 2026-12-27 09:00 +00
and the day that stands in for it, too  | daily        | Sun 2026-12-27 17:30 +00    | no  | Tue 2026-12-29 09:00 +00
a night ends at the holiday's midnight  | hol. night   | Mon 2026-05-04 00:00 +01    | no  | Tue 2026-05-05 22:00 +01
"""


def rows() -> list[object]:
    found: list[object] = []
    heading = ""
    for line in TABLE.strip().splitlines()[1:]:
        if "|" in line:
            what, *cells = (cell.strip() for cell in line.split("|"))
            found.append(pytest.param(*cells, id=f"{heading}: {what}"))
        elif line:
            heading = line
    return found


def instant(text: str, zone: ZoneInfo) -> datetime:
    """`Mon 2026-05-11 08:59 +01`: the day of the week and the offset must be the ones that the zone has then."""
    weekday, day, clock, offset = text.split()
    at = datetime.fromisoformat(f"{day}T{clock}{offset}")
    assert f"{at:%a}" == weekday, f"{day} is a {at:%A}"
    assert at.astimezone(zone).utcoffset() == at.utcoffset(), f"no {offset} in {zone.key} on {day}"
    return at.astimezone(UTC)


@pytest.mark.parametrize(("name", "at", "opened", "opening"), rows())
def test_hours(name: str, at: str, opened: str, opening: str) -> None:
    at_hours = HOURS[name]
    moment = instant(at, at_hours.zone)
    assert is_open(at_hours, moment) == {"yes": True, "no": False}[opened]
    found = next_opening(at_hours, moment)
    if opening == "never":
        assert found is None
        return
    assert found == (moment if opening == "now" else instant(opening, at_hours.zone))
    assert found.tzinfo is UTC
    assert is_open(at_hours, found)
