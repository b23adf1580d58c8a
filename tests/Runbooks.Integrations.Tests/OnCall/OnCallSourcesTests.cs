using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.OnCall;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Notifications;

namespace Runbooks.Integrations.Tests.OnCall;

/// <summary>The three systems over real HTTP. At 03:00 UTC Grace is on call in the sandbox, from 08:00 on Ada.</summary>
public sealed class OnCallSourcesTests : OnTheSandbox
{
    private static readonly DateTimeOffset s_morning = new(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("pagerduty", "PI7DH85", "Grace Hopper", "grace@example.com|PGRACE1")]
    [InlineData("grafanaOncall", "SBM7DV7BKFUYU", "grace", "grace@example.com|UGRACE0000001|grace")]
    [InlineData("ical", "/calendar/oncall.ics", "Grace Hopper", "grace@example.com")]
    public async Task WhoeverIsOnCall_IsNamedWithEverythingByWhichContactsMayKnowThem(string kind, string id, string name, string keys)
    {
        var shift = (await ReadAsync(kind, id)).At(Clock.GetUtcNow()).ShouldHaveSingleItem();

        shift.Person.Name.ShouldBe(name);
        string.Join('|', shift.Person.Keys).ShouldBe(keys);
        shift.Person.Mail.ShouldBe("grace@example.com");
        shift.Until.ShouldBe(s_morning);
    }

    [Fact]
    public async Task PagerDuty_IsAskedAsItsDocumentationSays()
    {
        (await ReadAsync("pagerduty", "PI7DH85")).KnownUntil.ShouldBe(s_morning);

        Uri.UnescapeDataString((await RequestsAsync())[^1]).ShouldBe("GET /pagerduty/oncalls?schedule_ids[]=PI7DH85&earliest=true&include[]=users&limit=100&offset=0");
    }

    [Fact]
    public async Task Grafana_IsAskedForWholeDaysAndAnswersUntilTheChangeOfShift()
    {
        (await ReadAsync("grafanaOncall", "SBM7DV7BKFUYU")).KnownUntil.ShouldBe(s_morning);

        (await RequestsAsync())[^1].ShouldBe("GET /grafana-oncall/api/v1/schedules/SBM7DV7BKFUYU/final_shifts?start_date=2026-11-24&end_date=2026-12-02&page=1");
    }

    [Fact]
    public void ShiftOfGrafanaInPieces_EndsWithTheLastOfThem()
    {
        JsonArray entries =
        [
            Entry("UGRACE", "2026-11-24T00:00:00Z", "2026-11-24T23:59:59Z"),
            Entry("UADA", "2026-11-26T00:00:00Z", "2026-11-27T00:00:00Z"),
            Entry("UGRACE", "2026-11-25T00:00:00Z", "2026-11-25T23:59:59Z"),
        ];

        var roster = GrafanaOnCallSchedules.RosterOf(entries, s_morning, s_morning.AddDays(7));

        var end = new DateTimeOffset(2026, 11, 26, 0, 0, 0, TimeSpan.Zero);
        roster.Shifts.ShouldHaveSingleItem().Until.ShouldBe(end);
        roster.KnownUntil.ShouldBe(end);
        GrafanaOnCallSchedules.RosterOf(entries, s_morning, end).Shifts.ShouldHaveSingleItem().Until.ShouldBeNull();

        static JsonObject Entry(string id, string start, string end) => new() { ["user_pk"] = id, ["user_email"] = $"{id}@example.com", ["user_username"] = id, ["shift_start"] = start, ["shift_end"] = end };
    }

    [Theory]
    [InlineData("pagerduty", "PEMPTY1")]
    [InlineData("grafanaOncall", "SEMPTYSCHEDUL")]
    public async Task EmptySchedule_NamesNobody(string kind, string id) => (await ReadAsync(kind, id)).Shifts.ShouldBeEmpty();

    [Theory]
    [InlineData("pagerduty", "PI7DH85", "429", "PagerDuty answered 429: too many requests.")]
    [InlineData("pagerduty", "PI7DH85", "401", "PagerDuty answered 401: the token is not good, or may not read schedules.")]
    [InlineData("pagerduty", "PI7DH85", "500", "PagerDuty answered 500.")]
    [InlineData("pagerduty", "PI7DH85", "unreachable", "PagerDuty cannot be reached")]
    [InlineData("pagerduty", "PNONE", null, "PagerDuty answered 404: it has no such schedule.")]
    [InlineData("pagerduty", "PUNUSED", null, "no escalation policy uses it, and of such a schedule PagerDuty does not say who is on call.")]
    [InlineData("grafanaOncall", "SBM7DV7BKFUYU", "429", "Grafana OnCall answered 429: too many requests.")]
    [InlineData("grafanaOncall", "SBM7DV7BKFUYU", "403", "Grafana OnCall answered 403: the token is not good, or may not read schedules.")]
    [InlineData("grafanaOncall", "SNONE", null, "Grafana OnCall answered 404: it has no such schedule.")]
    [InlineData("ical", "/calendar/oncall.ics", "404", "127.0.0.1 answered 404.")]
    [InlineData("ical", "/calendar/oncall.ics", "unreachable", "127.0.0.1 cannot be reached")]
    [InlineData("ical", "nowhere.ics", null, "there is no file nowhere.ics beside the contacts that can be opened.")]
    public async Task Fault_IsToldInWords(string kind, string id, string? fault, string words)
    {
        if (fault is not null)
        {
            var api = kind switch { "pagerduty" => "pagerduty", "ical" => "calendar", _ => "grafana-oncall" };
            await FaultAsync(api, fault);
        }

        (await Should.ThrowAsync<OnCallException>(ReadAsync(kind, id))).Message.ShouldStartWith(words);
    }

    [Theory]
    [InlineData("pagerduty", "PI7DH85", true)]
    [InlineData("pagerduty", "PI7DH85/../users", false)]
    [InlineData("grafanaOncall", "https://elsewhere", false)]
    [InlineData("ical", "oncall.ics", true)]
    [InlineData("ical", "https://calendar.example/private-abc/basic.ics", true)]
    [InlineData("ical", "../oncall.ics", false)]
    [InlineData("ical", "http://calendar.example/basic.ics", false)]
    [InlineData("ical", "https://user:secret@calendar.example/basic.ics", false)]
    [InlineData("ical", "${Calendars:None}", false)]
    public void Id_IsCheckedBeforeAnythingIsAsked(string kind, string id, bool good) => (Source(kind).ValidateId(id) is null).ShouldBe(good);

    [Fact]
    public void AddressOfACalendar_IsNotShown() => Source("ical").Describe("https://calendar.example/private-abc/basic.ics").ShouldBe("a calendar of calendar.example");

    protected override IServiceCollection Add(IServiceCollection services) => services
        .AddSingleton<AddressSecrets>().AddSingleton<ReadBesideContacts>((_, _) => Task.FromResult<string?>(null)).AddOnCallSchedules();

    private IOnCallSource Source(string kind) => Services.GetServices<IOnCallSource>().Single(source => source.Kind == kind);

    private async Task<OnCallRoster> ReadAsync(string kind, string id) =>
        await Source(kind).ReadAsync(new(kind, id.StartsWith('/') ? $"{SandboxAddress.ToString().TrimEnd('/')}{id}" : id, []), Clock.GetUtcNow(), Clock.GetUtcNow().AddHours(4), Cancel);
}

/// <summary>A calendar's address comes from a file that people write: it does not lead inside.</summary>
public sealed class CalendarEgressTests : OnTheSandbox
{
    protected override IReadOnlyDictionary<string, string?> Settings => new Dictionary<string, string?> { ["OnCall:AllowedHosts:0"] = "elsewhere.example" };

    protected override IServiceCollection Add(IServiceCollection services) => services.AddSingleton<AddressSecrets>().AddOnCallSchedules();

    [Fact]
    public async Task PrivateAddressThatNobodyAllowed_IsNotCalled() =>
        (await Should.ThrowAsync<OnCallException>(Services.GetServices<IOnCallSource>().Single(source => source.Kind == "ical")
            .ReadAsync(new("ical", $"{SandboxAddress}calendar/oncall.ics", []), Clock.GetUtcNow(), Clock.GetUtcNow().AddHours(1), Cancel)))
            .Message.ShouldContain("OnCall:AllowedHosts");
}

/// <summary>Calendars that are answered otherwise than the sandbox does it.</summary>
public sealed class CalendarDownloadTests : WithServer
{
    /// <summary>Sizes are those of the file: a letter beyond ASCII is more than one byte.</summary>
    [Theory]
    [InlineData("x", 1_048_576, "it cannot be read as a calendar (SerializationException).")]
    [InlineData("x", 1_048_577, "it is larger than 1024 KiB.")]
    [InlineData("ü", 1_048_577, "it is larger than 1024 KiB.")]
    [InlineData("ü", 3_000_000, "it is larger than 1024 KiB.")]
    public async Task CalendarThatIsTooLarge_IsSaidToBe(string letter, int bytes, string words)
    {
        _server.Answer = context => context.Response.WriteAsync(letter + new string('x', bytes - Encoding.UTF8.GetByteCount(letter)));

        (await WhyUnreadableAsync()).ShouldBe(words);
    }

    [Fact]
    public async Task CalendarThatHasMoved_IsNotFollowed()
    {
        _server.Answer = context =>
        {
            context.Response.Redirect("/other.ics");
            return Task.CompletedTask;
        };

        (await WhyUnreadableAsync()).ShouldBe("127.0.0.1 answered 302, which leads elsewhere and is not followed: write the address that it leads to.");
        _server.Requests.ShouldHaveSingleItem().Path.ShouldBe("/oncall.ics");
    }

    private async Task<string> WhyUnreadableAsync()
    {
        await using var services = _server.Services(services => services.AddLogging().AddSingleton<AddressSecrets>().AddOnCallSchedules(), ("OnCall:AllowedHosts:0", new Uri(_server.Url).Authority));
        var source = services.GetServices<IOnCallSource>().Single(source => source.Kind == "ical");
        var now = _server.Time.GetUtcNow();
        return (await Should.ThrowAsync<OnCallException>(source.ReadAsync(new("ical", $"{_server.Url}/oncall.ics", []), now, now.AddHours(1), TestContext.Current.CancellationToken))).Message;
    }
}
