using System.Diagnostics;
using System.Security.Cryptography;

namespace Runbooks.Model.Incidents;

/// <summary>
/// The sender's if it began one, otherwise computed from the incident's id. Span ids are computed too, so that every host and every restart
/// makes the same ones.
/// </summary>
public static class IncidentTrace
{
    private const string Root = "incident";

    /// <summary>Null if it is not valid or of an unknown version.</summary>
    public static string? Read(string? traceParent) =>
        traceParent is { Length: 55 } && traceParent.StartsWith("00-", StringComparison.Ordinal) && ActivityContext.TryParse(traceParent, null, isRemote: true, out var context)
            && context.TraceId != default && context.SpanId != default
            ? $"00-{context.TraceId}-{context.SpanId}-{(context.TraceFlags.HasFlag(ActivityTraceFlags.Recorded) ? "01" : "00")}"
            : null;

    public static ActivityTraceId IdOf(Incident incident) => SenderOf(incident) is { } sender
        ? sender.TraceId
        : ActivityTraceId.CreateFromBytes(SHA256.HashData(Encoding.UTF8.GetBytes(incident.Id)).AsSpan(0, 16));

    /// <param name="key">Distinguishes the spans of one incident.</param>
    public static ActivitySpanId SpanOf(Incident incident, string key) =>
        ActivitySpanId.CreateFromBytes(SHA256.HashData(Encoding.UTF8.GetBytes($"{incident.Id}\n{key}")).AsSpan(0, 8));

    public static ActivitySpanId RootOf(Incident incident) => SpanOf(incident, Root);

    /// <summary>
    /// The parent of the root span: the sender's span, or nothing. Always recorded, even if the sender samples its own requests away, since
    /// incidents are few.
    /// </summary>
    public static ActivityContext AboveRoot(Incident incident) =>
        new(IdOf(incident), SenderOf(incident)?.SpanId ?? default, ActivityTraceFlags.Recorded, isRemote: true);

    public static ActivityContext BelowRoot(Incident incident) =>
        new(IdOf(incident), RootOf(incident), ActivityTraceFlags.Recorded, isRemote: true);

    private static ActivityContext? SenderOf(Incident incident) =>
        incident.TraceParent is { } text && ActivityContext.TryParse(text, null, isRemote: true, out var context) ? context : null;
}
