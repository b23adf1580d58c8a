namespace Runbooks.Model.Storage;

/// <summary>
/// A number that grows while the store is in use, kept outside of it: what puts the store back to an earlier time leaves this
/// behind, and so is noticed.
/// </summary>
public interface IGenerationWitness
{
    /// <returns>Null where none was ever written, or it cannot be read as one.</returns>
    Task<WitnessedGeneration?> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Durable once it returns.</summary>
    /// <returns>As it is read back.</returns>
    Task<WitnessedGeneration> WriteAsync(long number, CancellationToken cancellationToken);
}

/// <param name="Mark">Tells this very writing from a copy of it; null where the place cannot.</param>
public sealed record WitnessedGeneration(long Number, string? Mark);
