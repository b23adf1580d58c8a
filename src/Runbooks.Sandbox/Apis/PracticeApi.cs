namespace Runbooks.Sandbox.Apis;

/// <summary>
/// One API that the range speaks: its routes, its state, and how it words its errors. To add one, derive from this in
/// a folder of its own and name it in <see cref="PracticeApis"/>.
/// </summary>
internal abstract class PracticeApi(string name)
{
    /// <summary>The first segment of its paths, and its name in faults and in the state.</summary>
    public string Name => name;

    /// <param name="routes">Already under <c>/{Name}</c>.</param>
    public abstract void Map(IEndpointRouteBuilder routes);

    /// <summary>Its state for tests and the curious; serialised as JSON.</summary>
    public abstract object Describe();

    /// <summary>Back to how it began.</summary>
    public abstract void Reset();

    /// <summary>An error response in the API's own words; also what a fault with a status code answers.</summary>
    public abstract IResult Error(int status, HttpRequest request);

    /// <summary>Whether this request is one that the fault could meet in the real API.</summary>
    public virtual bool CanHit(Fault fault, HttpRequest request) => true;
}
