using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Runbooks.Notifications;

namespace RunbookServer.Tests.EndToEnd;

/// <summary>Many alerts through the real HTTP surface, and every message counted on every kind of channel there is.</summary>
public sealed class StormMessagesTests
{
    private const int Alerts = 65;

    /// <summary>Where time passes between them, each costs far more; the storm's own tests take more.</summary>
    private const int Fewer = 30;
    private const int Most = 6;

    private readonly ConcurrentQueue<(string Channel, string To, string Title)> _sent = new();

    [Fact]
    public async Task InOnePost_NobodyGetsMoreThanSixMessagesUntilItIsDecided()
    {
        await using var host = await StartAsync();

        var posts = Enumerable.Range(0, Alerts).Select(i => JsonNode.Parse(SomeAlert.Stuck($"llm-b-{i + 100}"))!).ToList();
        var all = posts[0];
        foreach (var alert in posts.Skip(1).Select(post => post["alerts"]![0]!.DeepClone()))
        {
            all["alerts"]!.AsArray().Add(alert);
        }

        (await host.Client.PostAsync("api/alerts/alertmanager", all.ToJsonString())).Status.ShouldBe(HttpStatusCode.Accepted);

        await UntilNobodyAnsweredAsync(host, Alerts);
    }

    [Fact]
    public async Task OneAfterTheOther_NobodyGetsMoreThanSixMessagesUntilItIsDecided()
    {
        await using var host = await StartAsync();

        for (var i = 0; i < Fewer; i++)
        {
            await host.Client.StuckAsync($"llm-b-{i + 100}");
            await host.PassAsync(TimeSpan.FromSeconds(2));
        }

        await UntilNobodyAnsweredAsync(host, Fewer);
    }

    private async Task UntilNobodyAnsweredAsync(RunningHost host, int alerts)
    {
        await host.SettleAsync();

        // Not one of them is answered before its time is over, after twenty minutes.
        await host.PassAsync(TimeSpan.FromMinutes(17));
        var incidents = (await host.Client.GetAsync($"api/incidents?limit={alerts}"))["incidents"]!.AsArray();
        incidents.Count.ShouldBe(alerts);
        incidents.ShouldAllBe(incident => incident!["state"]!.ToString() == "awaitingApproval");

        var kinds = host.Get<IEnumerable<INotifier>>().Select(channel => channel.Channel).ToList();
        kinds.ShouldBe(["outbox", "terminal", "teams", "slack", "slackWebhook", "email", "pagerduty", "webhook"], ignoreOrder: true);
        foreach (var kind in kinds)
        {
            var titles = _sent.Where(message => message.Channel == kind).Select(message => message.Title).ToList();
            titles.Count.ShouldBeInRange(2, Most, $"{kind}: {string.Join(" | ", titles)}");
            titles.ShouldContain(title => title.Contains(" ask you at once", StringComparison.Ordinal));
        }

        foreach (var incident in incidents)
        {
            var record = await host.Client.GetAsync($"api/incidents/{incident!["id"]}");
            record.ToJsonString().ShouldContain("Told person-email by email");
        }
    }

    /// <summary>One person on each kind of channel, who is in every contact: on call, in the lead, and the last in line.</summary>
    private Task<RunningHost> StartAsync() => RunningHost.StartAsync(adjust: services =>
    {
        var real = services.Where(service => service.ServiceType == typeof(INotifier)).ToList();
        services.RemoveAll<INotifier>();
        foreach (var channel in real)
        {
            services.AddSingleton<INotifier>(provider => new CountedChannel((INotifier)ActivatorUtilities.CreateInstance(provider, channel.ImplementationType!), _sent));
        }

        services.Replace(ServiceDescriptor.Singleton(provider =>
        {
            List<Recipient> people = [.. provider.GetServices<INotifier>().Select(channel => new Recipient($"person-{channel.Channel}", [new(channel.Channel, "somewhere", $"person-{channel.Channel}")]))];
            return new CurrentContacts(new ContactBook([new("oncall", people), new("platform-lead", people), new(ContactBook.Fallback, people)]));
        }));
    });

    private sealed class CountedChannel(INotifier real, ConcurrentQueue<(string, string, string)> sent) : INotifier
    {
        public string Channel => real.Channel;

        public Task<Receipt> SendAsync(Card card, Address to, CancellationToken cancellationToken)
        {
            sent.Enqueue((Channel, to.Recipient, card.Title));
            return Task.FromResult<Receipt>($"{sent.Count}");
        }
    }
}
