using System.Text;

namespace Runbooks.Sandbox.Apis.OnCall;

/// <summary>The same rota as a calendar: <c>/calendar/oncall.ics</c>, as a calendar application publishes one, for everybody.</summary>
internal sealed class CalendarApi() : SandboxApi("calendar")
{
    public override void Map(IEndpointRouteBuilder routes) => routes.MapGet("/oncall.ics", () => Results.Text(Text, "text/calendar", Encoding.UTF8));

    public override object Describe() => "two series";

    public override void Reset()
    {
    }

    public override IResult Error(int status, HttpRequest request) => Results.Text("The sandbox was told to fail.", statusCode: status);

    private static string Text { get; } = string.Join("\r\n", (string[])
    [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//runbooks//sandbox//EN", "X-WR-TIMEZONE:UTC",
        .. Rota.People.SelectMany((person, at) => (string[])
        [
            "BEGIN:VEVENT", $"UID:{person.UserName}@sandbox", "DTSTAMP:20260101T000000Z", $"DTSTART:20260101T{(at == 0 ? "08" : "20")}0000Z", "DURATION:PT12H", "RRULE:FREQ=DAILY",
            "SUMMARY:On call", $"ATTENDEE;CN={person.Name};PARTSTAT=ACCEPTED:mailto:{person.Mail}", "END:VEVENT",
        ]),
        "END:VCALENDAR", "",
    ]);
}
