namespace Runbooks.Engine;

/// <summary>
/// The name and the types of one activity: a unit of work with side effects that the engine runs at least once
/// and whose result it records. The workflow names activities through these values, never through string literals.
/// </summary>
/// <typeparam name="TIn">Input; serialised to JSON and kept in history, so small and free of secrets.</typeparam>
/// <typeparam name="TOut">Result; serialised to JSON and kept in history, so small and free of secrets.</typeparam>
public sealed record Activity<TIn, TOut>(string Name);
