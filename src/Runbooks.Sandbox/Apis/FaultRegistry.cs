using System.IO.Enumeration;
using System.Text.Json.Serialization;

namespace Runbooks.Sandbox.Apis;

/// <param name="Kind"><c>slow</c>, <c>unreachable</c>, <c>lroFails</c>, <c>denied</c>, or the status code to answer: <c>403</c>, <c>429</c>, <c>500</c> …</param>
internal sealed record Fault(string Api, string Kind)
{
    public const string Slow = "slow";
    public const string Unreachable = "unreachable";

    /// <summary>A long-running operation is accepted and fails later. The API itself looks for this fault.</summary>
    public const string LroFails = "lroFails";

    /// <summary>
    /// A permission that is taken away until the sandbox is reset: the API says so when it is asked for permissions, and answers 403 where
    /// it is needed. <see cref="On"/> names it; the APIs themselves look for this fault.
    /// </summary>
    public const string Denied = "denied";

    public int Count { get; init; } = 1;

    public int Skip { get; init; }

    /// <summary>
    /// Only requests whose <c>METHOD /path</c> contains this text; null for all that the API can fail. For <c>denied</c>, the permission or a
    /// pattern of permissions: <c>create pods/eviction</c>, <c>Microsoft.Web/sites/*</c>.
    /// </summary>
    public string? On { get; init; }

    public int Seconds { get; init; } = 30;

    [JsonIgnore]
    public int? Status => int.TryParse(Kind, NumberStyles.None, CultureInfo.InvariantCulture, out var status) ? status : null;

    [JsonIgnore]
    public string? Problem => this switch
    {
        { Kind: not (Slow or Unreachable or LroFails or Denied), Status: not (>= 400 and <= 599) } =>
            $"'kind' must be {Slow}, {Unreachable}, {LroFails}, {Denied} or a status code from 400 to 599; it is '{Kind}'.",
        { Kind: Denied, Api: not ("kubernetes" or "arm" or "litellm" or "servicenow") } => $"'{Denied}' is for kubernetes, arm, litellm and servicenow: "
            + "the other APIs know no permissions here.",
        { Kind: Denied, On: null } => $"'{Denied}' needs 'on', the permission: \"create pods/eviction\", \"Microsoft.Web/sites/restart/action\".",
        { Count: < 1 } => "'count' must be at least 1.",
        { Skip: < 0 } => "'skip' must not be negative.",
        { Seconds: < 0 or > 3600 } => "'seconds' must be from 0 to 3600.",
        _ => null,
    };
}

internal sealed class FaultRegistry
{
    private const int RequestsKept = 200;
    private const int BodiesKept = 50;
    private readonly Lock _lock = new();
    private readonly List<Fault> _pending = [];
    private readonly Queue<string> _requests = new();
    private readonly Queue<SentBody> _bodies = new();

    public IReadOnlyList<Fault> Pending => Copy(_pending);

    /// <summary><c>METHOD /path?query</c>, oldest first.</summary>
    public IReadOnlyList<string> Requests => Copy(_requests);

    public IReadOnlyList<SentBody> Bodies => Copy(_bodies);

    private List<T> Copy<T>(IEnumerable<T> kept)
    {
        lock (_lock)
        {
            return [.. kept];
        }
    }

    public IReadOnlyList<string> Denied(string api) =>
    [
        .. Pending.Where(fault => fault.Api == api && fault.Kind == Fault.Denied).Select(fault => fault.On!),
    ];

    public bool Denies(string api, string permission) => Denied(api).Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, permission));

    public void Add(Fault fault)
    {
        lock (_lock)
        {
            _pending.Add(fault);
        }
    }

    public void Clear()
    {
        lock (_lock)
        {
            _pending.Clear();
            _requests.Clear();
            _bodies.Clear();
        }
    }

    /// <param name="body">Null where it was not JSON.</param>
    public void Saw(HttpRequest request, JsonNode? body)
    {
        var line = $"{request.Method} {request.Path}{request.QueryString}";
        lock (_lock)
        {
            _requests.Enqueue(line);
            if (_requests.Count > RequestsKept)
            {
                _requests.Dequeue();
            }

            if (body is not null)
            {
                _bodies.Enqueue(new SentBody(line, body));
                if (_bodies.Count > BodiesKept)
                {
                    _bodies.Dequeue();
                }
            }
        }
    }

    public Fault? Take(Func<Fault, bool> fits)
    {
        lock (_lock)
        {
            var index = _pending.FindIndex(fault => fits(fault));
            if (index < 0)
            {
                return null;
            }

            var fault = _pending[index];
            if (fault.Skip > 0)
            {
                _pending[index] = fault with { Skip = fault.Skip - 1 };
                return null;
            }

            if (fault.Count == 1)
            {
                _pending.RemoveAt(index);
            }
            else
            {
                _pending[index] = fault with { Count = fault.Count - 1 };
            }

            return fault;
        }
    }
}

/// <param name="Request"><c>METHOD /path?query</c></param>
internal sealed record SentBody(string Request, JsonNode Body);
