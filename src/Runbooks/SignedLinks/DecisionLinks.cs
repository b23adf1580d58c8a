using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;
using Runbooks.Model.Incidents;

namespace Runbooks.SignedLinks;

/// <summary>Makes the link on which one recipient decides one gate.</summary>
public sealed class DecisionLinks(LinkSigner signer, IOptions<PublicAddressOptions> address)
{
    /// <summary>A closed gate's link still opens, to say how it ended; this long after the gate expires.</summary>
    private static readonly TimeSpan Afterlife = TimeSpan.FromDays(1);

    public string For(Incident incident, Gate gate, string recipient) =>
        Root + PageOf(TicketFor(incident, gate, recipient));

    /// <summary>The page that lists all questions of a storm that this recipient may answer.</summary>
    public string ForStorm(string stormId, DateTimeOffset since, DateTimeOffset expiresAt, string recipient) =>
        Root + PageOf(signer.SignStorm(new StormGrant(stormId, since, recipient, expiresAt + Afterlife)));

    /// <summary>
    /// Where a token opens its page. It stands in the query, and under this name: traces of requests hold paths as they are, while
    /// OpenTelemetry leaves out values of queries, and the Functions host whatever is called a token.
    /// </summary>
    /// <seealso href="https://opentelemetry.io/docs/specs/semconv/attributes-registry/url/"/>
    public static string PageOf(string token) => $"/decide?token={token}";

    /// <summary>A ticket for one question of such a page: what <see cref="For"/> signs, without the address.</summary>
    public string TicketFor(Incident incident, Gate gate, string recipient) => signer.Sign(GrantOf(incident, gate, recipient));

    /// <param name="runbookId">Only its incidents; null for all.</param>
    public string Console(string? runbookId) => runbookId is null ? $"{Root}/" : $"{Root}/?runbook={Uri.EscapeDataString(runbookId)}";

    /// <summary>The page of an incident; shows, and cannot decide.</summary>
    public string IncidentPage(string incidentId) => $"{Root}/incidents/{Uri.EscapeDataString(incidentId)}";

    /// <summary>What happened, as a document.</summary>
    public string ReportPage(string incidentId) => $"{IncidentPage(incidentId)}/report";

    private static LinkGrant GrantOf(Incident incident, Gate gate, string recipient) =>
        new(incident.Id, gate.Id, recipient, gate.Plan.Hash, gate.ExpiresAt + Afterlife);

    private string Root => address.Value.PublicUrl.TrimEnd('/');
}

/// <summary>Where people reach the pages that messages link to.</summary>
public sealed class PublicAddressOptions
{
    public const string SectionName = "Runbooks";

    /// <summary>The address of this system as people's browsers see it, without a trailing slash: <c>https://runbooks.example.com</c>.</summary>
    [Required, Url]
    public string PublicUrl { get; set; } = "http://localhost:7071";
}
