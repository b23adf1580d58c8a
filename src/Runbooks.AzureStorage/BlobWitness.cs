using System.Globalization;
using System.Text;
using Runbooks.Model.Storage;

namespace Runbooks.AzureStorage;

/// <summary>The generation as a blob beside the tables. Several processes write it: their order is that of the tables, and one that comes late only lags.</summary>
internal sealed class BlobWitness(BlobFiles blobs) : IGenerationWitness
{
    private const string Name = "generation";

    public async Task<WitnessedGeneration?> ReadAsync(CancellationToken cancellationToken)
    {
        if (await blobs.FindAsync(Name, cancellationToken) is not { } content)
        {
            return null;
        }

        using var reader = new StreamReader(content);
        return long.TryParse(await reader.ReadToEndAsync(cancellationToken), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? new(number, null) : null;
    }

    public async Task<WitnessedGeneration> WriteAsync(long number, CancellationToken cancellationToken)
    {
        using var text = new MemoryStream(Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture)));
        await blobs.PutAsync(Name, text, cancellationToken);
        return new(number, null);
    }
}
