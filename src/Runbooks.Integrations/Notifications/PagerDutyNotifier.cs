using Runbooks.Model.Definition;

namespace Runbooks.Integrations.Notifications;

/// <summary>
/// Every message is an alert of its own, because one that somebody acknowledged calls nobody again for a while. An update resolves or
/// acknowledges it.
/// </summary>
internal sealed class PagerDutyNotifier(IHttpClientFactory clients, AddressSecrets secrets, IOptions<PagerDutyOptions> options) : INotifier
{
    public const string Name = "pagerduty";

    public string Channel => Name;

    public bool AddressIsSecret => true;

    public bool Rings => true;

    public string? ValidateAddress(string to) =>
        to.Length == 32 && to.All(char.IsAsciiLetterOrDigit) ? null : "an integration key has 32 letters and digits.";

    public async Task<Receipt> SendAsync(Card card, Address to, CancellationToken cancellationToken)
    {
        // Contacts that share a key see the details of whichever message came first.
        await PostAsync(
            PagerDutyEvent.Trigger(
                to.IsShared ? card.WithoutLinkToDecide : card, secrets.Resolve(to.To), PagerDutyEvent.KeyOf(card, to.Recipient)),
            cancellationToken);
        return ReferenceOf(card, to);
    }

    public string ReferenceOf(Card card, Address to) => $"{to.To}|{PagerDutyEvent.KeyOf(card, to.Recipient)}";

    /// <summary>
    /// An alert that nobody has to act on any more is resolved: one that is only acknowledged rings again after the service's
    /// acknowledgement timeout, by default 30 minutes. One that needs a person rings on, and is acknowledged once somebody sees to it.
    /// </summary>
    /// <seealso href="https://support.pagerduty.com/docs/incidents"/>
    public async Task UpdateAsync(string reference, Card card, CancellationToken cancellationToken)
    {
        if (card.CallsNobody)
        {
            var bar = reference.IndexOf('|', StringComparison.Ordinal);
            await PostAsync(
                PagerDutyEvent.Change(card.IsSeenTo ? "acknowledge" : "resolve", secrets.Resolve(reference[..bar]), reference[(bar + 1)..]),
                cancellationToken);
        }
    }

    private async Task PostAsync(JsonObject body, CancellationToken cancellationToken)
    {
        using var content = MessageJson.Content(body);
        var url = MessageHttp.Url($"{options.Value.EventsUrl.TrimEnd('/')}/v2/enqueue");
        await clients.CreateClient(Name).PostAsync(url, content, "PagerDuty", cancellationToken);
    }
}

/// <seealso href="https://developer.pagerduty.com/docs/events-api-v2/trigger-events/"/>
internal static class PagerDutyEvent
{
    private const int LongestSummary = 1_024;
    private const int LongestKey = 255;

    /// <summary>Names the alert, the same on every attempt. Messages to two contacts with one integration key at once are one alert.</summary>
    public static string KeyOf(Card card, string recipient)
    {
        var message = card.Key ?? "";
        var at = message.LastIndexOf($":{recipient}@", StringComparison.Ordinal);
        var key = $"{card.IncidentId}:{(at >= 0 ? message[..at] : message)}";
        return key.Length <= LongestKey ? key : $"{key[..150]}:{TextHash.Of(key)}";
    }

    public static JsonObject Trigger(Card card, string routingKey, string alert) => new()
    {
        ["routing_key"] = routingKey,
        ["event_action"] = "trigger",
        ["dedup_key"] = alert,
        ["payload"] = new JsonObject
        {
            ["summary"] = Clip.To(CardText.Summary(card), LongestSummary),
            ["source"] = "runbooks",
            ["severity"] = Severity(card),
            ["custom_details"] = Details(card),
        },
        ["links"] = MessageJson.Array(card.Links.Select(link => new JsonObject { ["href"] = link.Url, ["text"] = link.Text })),
    };

    public static JsonObject Change(string action, string routingKey, string alert) => new()
    {
        ["routing_key"] = routingKey,
        ["event_action"] = action,
        ["dedup_key"] = alert,
    };

    private static JsonObject Details(Card card)
    {
        var details = new JsonObject();
        foreach (var section in CardText.Sections(card))
        {
            // Two sections may have the same heading: the targets of two runbooks with one title.
            var lines = string.Join('\n', section.Lines);
            details[section.Heading] = details[section.Heading] is { } before ? $"{before}\n{lines}" : lines;
        }

        return details;
    }

    /// <summary>
    /// In a service that goes by it, <c>critical</c> and <c>error</c> call somebody up and go on to the next; <c>warning</c> and
    /// <c>info</c> do neither. So a message that waits for a person is an error at least, unless the runbook calls it minor and nobody
    /// has left it unanswered yet.
    /// </summary>
    /// <seealso href="https://support.pagerduty.com/main/docs/dynamic-notifications"/>
    private static string Severity(Card card) => card switch
    {
        _ when card.DryRun || card.Informs => "info",
        { Severity: ImpactSeverity.Critical } => "critical",
        { Severity: ImpactSeverity.Low, Kind: CardKind.ApprovalRequest } => "warning",
        { Severity: ImpactSeverity.Low, Key: { } key }
            when key.StartsWith(NotificationUpdater.HandedOver, StringComparison.Ordinal) => "warning",
        _ => "error",
    };
}

public sealed class PagerDutyOptions
{
    public const string SectionName = "PagerDuty";

    /// <summary>An integration key that contacts may refer to as <c>${PagerDuty:RoutingKey}</c>; a secret.</summary>
    public string? RoutingKey { get; set; }

    /// <summary>Where events go; <c>https://events.eu.pagerduty.com</c> for accounts in the EU.</summary>
    [Required, Url(ErrorMessage = "It has to be a whole address that begins with https://.")]
    public string EventsUrl { get; set; } = "https://events.pagerduty.com";

    /// <summary>A REST API key, read-only, for contacts that are schedules of PagerDuty.</summary>
    [Secret]
    public string? ApiToken { get; set; }

    /// <summary>Where schedules are asked; <c>https://api.eu.pagerduty.com</c> for accounts in the EU.</summary>
    [Required, Url(ErrorMessage = "It has to be a whole address that begins with https://.")]
    public string ApiUrl { get; set; } = "https://api.pagerduty.com";
}
