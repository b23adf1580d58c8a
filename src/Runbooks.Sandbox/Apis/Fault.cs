using System.Globalization;
using System.Text.Json.Serialization;

namespace Runbooks.Sandbox.Apis;

/// <summary>Something that goes wrong with the next requests to one API.</summary>
/// <param name="Api">The <see cref="PracticeApi.Name"/>.</param>
/// <param name="Kind"><c>slow</c>, <c>unreachable</c>, <c>lroFails</c>, <c>denied</c>, or the status code to answer: <c>403</c>, <c>429</c>, <c>500</c> …</param>
internal sealed record Fault(string Api, string Kind)
{
    public const string Slow = "slow";
    public const string Unreachable = "unreachable";

    /// <summary>A long-running operation is accepted and fails later; the API itself looks for this one.</summary>
    public const string LroFails = "lroFails";

    /// <summary>
    /// A permission is taken away until the range is reset: the API says so when it is asked for permissions, and answers
    /// 403 to what needs it. <see cref="On"/> names it; the APIs themselves look for this one.
    /// </summary>
    public const string Denied = "denied";

    /// <summary>How many requests it meets before it is over.</summary>
    public int Count { get; init; } = 1;

    /// <summary>How many fitting requests pass unharmed before it begins.</summary>
    public int Skip { get; init; }

    /// <summary>
    /// Only requests whose <c>METHOD /path</c> contains this text; null for all that the API can fail. Of <c>denied</c>,
    /// the permission or a pattern of them: <c>create pods/eviction</c>, <c>Microsoft.Web/sites/*</c>.
    /// </summary>
    public string? On { get; init; }

    /// <summary>How long <c>slow</c> takes.</summary>
    public int Seconds { get; init; } = 30;

    [JsonIgnore]
    public int? Status => int.TryParse(Kind, NumberStyles.None, CultureInfo.InvariantCulture, out var status) ? status : null;

    [JsonIgnore]
    public string? Problem => this switch
    {
        { Kind: not (Slow or Unreachable or LroFails or Denied), Status: not (>= 400 and <= 599) } =>
            $"'kind' must be {Slow}, {Unreachable}, {LroFails}, {Denied} or a status code from 400 to 599; it is '{Kind}'.",
        { Kind: Denied, Api: not ("kubernetes" or "arm") } => $"'{Denied}' is for kubernetes and arm: the other APIs know no permissions here.",
        { Kind: Denied, On: null } => $"'{Denied}' needs 'on', the permission: \"create pods/eviction\", \"Microsoft.Web/sites/restart/action\".",
        { Count: < 1 } => "'count' must be at least 1.",
        { Skip: < 0 } => "'skip' must not be negative.",
        { Seconds: < 0 or > 3600 } => "'seconds' must be from 0 to 3600.",
        _ => null,
    };
}
