using System.IO.Enumeration;
using System.Text.Json.Nodes;

namespace Runbooks.Sandbox.Apis;

/// <summary>The faults that are switched on, and the last requests that came in.</summary>
internal sealed class FaultBoard
{
    private const int RequestsKept = 200;
    private const int BodiesKept = 50;
    private readonly Lock _lock = new();
    private readonly List<Fault> _pending = [];
    private readonly Queue<string> _requests = new();
    private readonly Queue<SentBody> _bodies = new();

    public IReadOnlyList<Fault> Pending
    {
        get
        {
            lock (_lock)
            {
                return [.. _pending];
            }
        }
    }

    /// <summary><c>METHOD /path?query</c>, oldest first.</summary>
    public IReadOnlyList<string> Requests
    {
        get
        {
            lock (_lock)
            {
                return [.. _requests];
            }
        }
    }

    /// <summary>What requests carried, oldest first.</summary>
    public IReadOnlyList<SentBody> Bodies
    {
        get
        {
            lock (_lock)
            {
                return [.. _bodies];
            }
        }
    }

    /// <summary>The permissions of an API that are taken away.</summary>
    public IReadOnlyList<string> Denied(string api) => [.. Pending.Where(fault => fault.Api == api && fault.Kind == Fault.Denied).Select(fault => fault.On!)];

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

    /// <param name="body">What it carried; null for nothing that is JSON.</param>
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

    /// <summary>Uses up one count of the first fault that fits.</summary>
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
