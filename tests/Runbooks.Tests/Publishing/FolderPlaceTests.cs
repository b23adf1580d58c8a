using Runbooks.Publishing;
using TestKit.Storage;

namespace Runbooks.Tests.Publishing;

public sealed class FolderPlaceTests : RuleSetPlaceContract, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("published-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    protected override IRuleSetPlace Open() => new FolderPlace(_folder);
}
