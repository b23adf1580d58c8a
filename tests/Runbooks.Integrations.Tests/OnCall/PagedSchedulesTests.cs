using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.OnCall;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Notifications;

namespace Runbooks.Integrations.Tests.OnCall;

/// <summary>Whoever is on call may stand on a later page of the answer.</summary>
public sealed class PagedSchedulesTests : WithServer
{
    /// <param name="pages">How many there are; each has one person, who is on call all day.</param>
    private async Task<OnCallRoster> ReadAsync(string kind, int pages)
    {
        _server.Answer = context =>
        {
            var page = kind == "pagerduty" ? int.Parse(context.Request.Query["offset"]!, System.Globalization.CultureInfo.InvariantCulture) / 100 : int.Parse(context.Request.Query["page"]!, System.Globalization.CultureInfo.InvariantCulture) - 1;
            const string times = """ "2026-11-23T00:00:00Z","end":"2026-11-24T00:00:00Z" """;
            return context.Response.WriteAsync(kind == "pagerduty"
                ? $$$$"""{"oncalls":[{"schedule":{"id":"S1"},"user":{"id":"U{{{{page}}}}","name":"u{{{{page}}}}"},"start":{{{{times}}}}}],"more":{{{{(page + 1 < pages ? "true" : "false")}}}}}"""
                : $$$$"""{"results":[{"user_pk":"U{{{{page}}}}","user_username":"u{{{{page}}}}","shift_start":"2026-11-23T00:00:00Z","shift_end":"2026-11-24T00:00:00Z"}],"next":{{{{(page + 1 < pages ? "\"https://elsewhere.example\"" : "null")}}}}}""");
        };
        var settings = new Dictionary<string, string?> { ["PagerDuty:ApiUrl"] = _server.Url, ["PagerDuty:ApiToken"] = "t", ["GrafanaOnCall:Url"] = _server.Url, ["GrafanaOnCall:Token"] = "t" };
        await using var services = new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(settings).Build()).AddSingleton<TimeProvider>(_server.Time)
            .AddSingleton<AddressSecrets>().AddSingleton<ReadBesideContacts>((_, _) => Task.FromResult<string?>(null)).AddOnCallSchedules().BuildServiceProvider();
        var now = _server.Time.GetUtcNow();
        return await services.GetServices<IOnCallSource>().Single(source => source.Kind == kind).ReadAsync(new(kind, "S1", []), now, now.AddHours(4), TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData("pagerduty")]
    [InlineData("grafanaOncall")]
    public async Task PeopleOfAllPages_AreOnCall(string kind) => (await ReadAsync(kind, 3)).Shifts.Select(shift => shift.Person.Name).ShouldBe(["u0", "u1", "u2"]);

    [Theory]
    [InlineData("pagerduty", "PagerDuty has more than 10 pages of it, so who is on call is not known.")]
    [InlineData("grafanaOncall", "Grafana OnCall has more than 10 pages of it, so who is on call is not known.")]
    public async Task AnswerWithoutAnEnd_NamesNobody(string kind, string words) =>
        (await Should.ThrowAsync<OnCallException>(() => ReadAsync(kind, int.MaxValue))).Message.ShouldBe(words);
}
