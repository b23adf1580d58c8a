using Microsoft.Extensions.Options;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;

namespace Runbooks.Integrations.Notifications.PagerDuty;

/// <summary>Triggers, acknowledges and resolves by the incident's id.</summary>
internal sealed class PagerDutyNotifier(IHttpClientFactory clients, AddressSecrets secrets, IOptions<PagerDutyOptions> options) : INotifier
{
    public const string Name = "pagerduty";

    public string Channel => Name;

    public bool AddressIsSecret => true;

    public string? Objection(string to) => to.Length == 32 && to.All(char.IsAsciiLetterOrDigit) ? null : "an integration key has 32 letters and digits.";

    /// <returns>The name of the setting with the key: the events of one incident find each other by its id.</returns>
    public async Task<string?> SendAsync(Card card, Address to, CancellationToken cancellationToken)
    {
        await PostAsync(card, to.To, cancellationToken);
        return to.To;
    }

    /// <summary>A decision acknowledges, the end resolves; an end that needs a person leaves it ringing.</summary>
    public Task UpdateAsync(string reference, Card card, CancellationToken cancellationToken) =>
        card.Kind is CardKind.Decided or CardKind.Closed ? PostAsync(card, reference, cancellationToken) : Task.CompletedTask;

    private async Task PostAsync(Card card, string to, CancellationToken cancellationToken)
    {
        using var content = MessageJson.Content(PagerDutyEvent.Render(card, secrets.Resolve(to)));
        var url = MessageHttp.Url($"{options.Value.EventsUrl.TrimEnd('/')}/v2/enqueue");
        await clients.CreateClient(Name).PostAsync(url, content, "PagerDuty", cancellationToken);
    }
}
